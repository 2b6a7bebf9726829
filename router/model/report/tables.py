"""An evaluation's numbers as rows of words, for the page and for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from router.model.report.svg import percent

MAIN = {
    "accuracy": "texts whose best intent is right",
    "macro_f1": "mean F1 of the intents, each weighing the same",
    "queue_accuracy": "texts whose best intent has the right queue",
    "ece": "by how much confidence misses accuracy, 15 bins of equal mass",
    "brier": "squared distance to the truth, 0 to 2",
    "aurc": "mean error over all shares answered",
    "queue_aurc": "the same of queues",
    "set_coverage": "prediction sets that hold the right intent",
    "set_size": "intents in a prediction set",
    "oos_auroc": "how often a text in scope scores above one out of it",
    "oos_fpr95": "texts out of scope that pass where 95 % in scope do",
    "in_scope_kept": "texts in scope thought to be so",
    "out_of_scope_kept": "texts out of scope thought to be in it",
    "ms_p50": "milliseconds for one text, median",
    "ms_p95": "milliseconds that 95 % stay below",
}
"""The figures that are one number, and what each says."""

AT_RISK = {
    "coverage_at_risk": "share answered with an error of at most {} by intent",
    "queue_coverage_at_risk": "share answered with an error of at most {} by queue",
}


_RECALL_FIRST = ("recall", "recall 95 %", "precision", "precision 95 %", "F1")
_FLAG = ("n", "threshold", "recall", "recall 95 %", "false alarms", "false alarms 95 %", "AUROC",
         "AUROC 95 %")  # fmt: skip


@dataclass(frozen=True)
class Table:
    """``low`` are the rows that stand out: whose first interval lies below the whole's figure."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    low: frozenset[int] = frozenset()


def main_table(report: Mapping[str, Any]) -> Table:
    intervals = report["intervals"]
    rows = [(name, figure(report[name]), interval(intervals.get(name)), says)
            for name, says in MAIN.items() if report[name] is not None]  # fmt: skip
    place = next((n for n, row in enumerate(rows) if row[0].startswith("set_")), len(rows))
    rows[place:place] = [
        (f"{name} {risk}", figure(share), interval(intervals[name][risk]),
         says.format(percent(float(risk))))
        for name, says in AT_RISK.items() for risk, share in report[name].items()
        if share is not None
    ]  # fmt: skip
    return Table("Figures", ("figure", "value", "95 %", "what it says"), tuple(rows))


def language_table(report: Mapping[str, Any]) -> Table:
    columns = ("language", "n", "accuracy", "accuracy 95 %", "macro F1", "queue accuracy",
               "queue 95 %", "ECE", "queue coverage at 2 %", "set coverage",
               "set size")  # fmt: skip
    rows = report["per_language"]
    return Table(
        "By language",
        columns,
        tuple(
            (
                language, str(row["n"]), figure(row["accuracy"]), _bounds(row, "accuracy"),
                figure(row["macro_f1"]), figure(row["queue_accuracy"]),
                _bounds(row, "queue_accuracy"), figure(row["ece"]),
                figure(row["queue_coverage_at_risk"]["0.02"]),
                figure(row["set_coverage"]), figure(row["set_size"]),
            )
            for language, row in rows.items()
        ),
        _below(rows, "accuracy", report["accuracy"]),
    )  # fmt: skip


def queue_table(report: Mapping[str, Any]) -> Table:
    rows = report["per_queue"]
    return Table(
        "By queue",
        ("queue", "n", *_RECALL_FIRST),
        tuple((queue, str(row["n"]), *_recall_first(row)) for queue, row in rows.items()),
        _below(rows, "recall", report["queue_accuracy"]),
    )


def intent_table(report: Mapping[str, Any]) -> Table:
    """The least F1 first."""
    rows = dict(sorted(report["per_intent"].items(), key=lambda item: item[1]["f1"]))
    return Table(
        "By intent",
        ("intent", "queue", "n", *_RECALL_FIRST),
        tuple(
            (intent, row["queue"], str(row["n"]), *_recall_first(row))
            for intent, row in rows.items()
        ),
        _below(rows, "recall", report["accuracy"]),
    )


def confusion_table(report: Mapping[str, Any], level: str, most: int) -> Table:
    """The ``most`` frequent; ``level`` is ``intents`` or ``queues``."""
    wrong = report["confusions" if level == "intents" else "queue_confusions"][:most]
    rows = tuple((pair["truth"], pair["given"], str(pair["n"])) for pair in wrong)
    return Table(f"Confused {level}", ("right", "the model says", "n"), rows)


def reliability_table(report: Mapping[str, Any]) -> Table:
    rows = tuple(
        (str(one["n"]), figure(one["confidence"]), figure(one["accuracy"]),
         interval(one["interval"]))
        for one in report["reliability"]
    )  # fmt: skip
    return Table("Bins", ("n", "confidence", "accuracy", "95 %"), rows)


def flag_tables(report: Mapping[str, Any]) -> list[Table]:
    """Each flag's, and each language's; none where no text tells its flags."""
    flags = report["flags"]
    if flags is None:
        return []
    return [
        Table(
            "Safety flags",
            ("flag", *_FLAG),
            (
                _flag_row("any", flags["any"]),
                *(_flag_row(name, row) for name, row in flags["per_flag"].items()),
            ),
        ),
        Table(
            "Any flag, by language",
            ("language", *_FLAG),
            tuple(_flag_row(name, row["any"]) for name, row in flags["per_language"].items()),
        ),
    ]


def stage_table(report: Mapping[str, Any]) -> Table:
    rows = tuple((name, figure(share)) for name, share in report["stages"].items())
    return Table("Stages", ("stage", "share answered"), rows)


def figure(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def interval(bounds: Sequence[float] | None) -> str:
    return "–" if bounds is None else f"{bounds[0]:.4f} to {bounds[1]:.4f}"


def _bounds(row: Mapping[str, Any], name: str) -> str:
    return interval(row["intervals"][name])


def _recall_first(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        figure(row["recall"]), _bounds(row, "recall"),
        figure(row["precision"]), _bounds(row, "precision"), figure(row["f1"]),
    )  # fmt: skip


def _flag_row(name: str, row: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        name, str(row["n"]), figure(row.get("threshold")), figure(row["recall"]),
        _bounds(row, "recall"), figure(row["false_alarms"]), _bounds(row, "false_alarms"),
        figure(row["auroc"]), _bounds(row, "auroc"),
    )  # fmt: skip


def _below(rows: Mapping[str, Any], name: str, whole: float | None) -> frozenset[int]:
    bounds = [row["intervals"][name] for row in rows.values()]
    return frozenset(
        place for place, ends in enumerate(bounds) if whole is not None and ends and ends[1] < whole
    )
