"""A run's figures: what was done, what was found, and whether that is a pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.chaos.board import WANTED, Phase
from tests.chaos.check import FAULTS, Verdict, check
from tests.chaos.history import History
from tests.chaos.run import Outcome, Shape

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Report:
    shape: Shape
    figures: Mapping[str, Any]
    problems: tuple[str, ...]
    """Empty: what was promised held, and was tried in each phase."""


def make_report(shape: Shape, outcome: Outcome) -> Report:
    """Check the history and count it."""
    verdict = check(outcome.history)
    figures = _figures(shape, outcome, verdict)
    problems = [f"{one.fault}: {one.what}" for one in verdict.violations]
    problems += outcome.unfinished
    if shape.kills >= len(WANTED):
        problems += [
            f"No kill fell {_words(p)}." for p in WANTED if not figures["kills"][_words(p)]
        ]
    if (killed := sum(figures["kills"].values())) != shape.kills:
        problems.append(f"{killed} workers were killed instead of {shape.kills}.")
    if (restarted := figures["broker restarts"]) != shape.restarts:
        problems.append(f"{restarted} brokers were restarted instead of {shape.restarts}.")
    return Report(shape, figures, tuple(problems))


def _figures(shape: Shape, outcome: Outcome, verdict: Verdict) -> dict[str, Any]:
    history = outcome.history
    kills = Counter(deed.detail["phase"] for deed in history.deeds if deed.what == "kill")
    return {
        "seed": shape.seed,
        "delivery": shape.delivery,
        "nodes": shape.nodes,
        "seconds": round(outcome.seconds),
        "events": len(history.produced),
        "acknowledged": sum(one.acked for one in history.produced),
        "on the input": len(history.standing),
        "read": len(history.read),
        "kills": {_words(phase): kills[phase.name] for phase in Phase},
        "pauses": _count(history, "pause"),
        "stops": _count(history, "stop"),
        "broker restarts": sum(
            deed.what == "broker" and deed.detail["is"] == "in sync" for deed in history.deeds
        ),
        "model faults": sum(
            deed.what == "model" and deed.detail["order"] != "be well" for deed in history.deeds
        ),
        "exits": _sorted(str(d.detail["code"]) for d in history.deeds if d.what == "exit"),
        "reasons": _sorted(
            one.reason or "dead letter" for one in history.read if one.log or not one.reason
        ),
        "violations": {fault: verdict.count(fault) for fault in FAULTS},
        "repeats": verdict.repeats,
        "degraded": verdict.degraded,
    }


def table(report: Report) -> str:
    """For people."""
    lines = []
    for name, value in report.figures.items():
        if isinstance(value, Mapping):
            lines.append(name)
            lines += [f"  {key:<18}{count:>14}" for key, count in value.items()]
        else:
            lines.append(
                f"{name:<24}{value!s:>10}" if len(str(value)) <= 10 else f"{name}: {value}"
            )
    lines += [f"! {problem}" for problem in report.problems[:_SHOWN]]
    if len(report.problems) > _SHOWN:
        lines.append(f"! and {len(report.problems) - _SHOWN} more")
    return "\n".join(lines)


def _sorted(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def _count(history: History, what: str) -> int:
    return sum(deed.what == what for deed in history.deeds)


def _words(phase: Phase) -> str:
    return phase.name.lower().replace("_", " ")
