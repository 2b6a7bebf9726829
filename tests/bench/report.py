"""The figures as a table for people and as a document for ``check.py``."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tests.bench.cases import ROUTER, Case
from tests.bench.drain import Run
from tests.bench.figures import Ratio, middle
from tests.bench.ratios import Cells, Waits

SCHEMA = "router-bench/v1"


def document(
    facts: Mapping[str, Any],
    settings: Mapping[str, Any],
    *,
    cells: Cells,
    waits: Waits,
    ratios: Sequence[Ratio],
    left_out: Sequence[str],
) -> dict[str, Any]:
    """What is written; ``left_out`` says what could not be measured, and why."""
    return {
        "schema": SCHEMA,
        **facts,
        "settings": dict(settings),
        "runs": [
            {**asdict(case), "program": program, "rounds": [run._asdict() for run in runs]}
            for (case, program), runs in cells.items()
        ],
        "latency": [
            {**wait._asdict(), "rounds": [one._asdict() for one in found]}
            for wait, found in waits.items()
        ],
        "ratios": [
            {**asdict(ratio), "value": ratio.value, "noise": ratio.noise, "kept": ratio.kept}
            for ratio in ratios
        ],
        "left_out": list(left_out),
    }


def lines(cells: Cells, waits: Waits, ratios: Sequence[Ratio], left_out: Sequence[str]) -> str:
    """All of it as a text."""
    parts = [
        _runs(cells),
        _waits(waits),
        _ratios(ratios),
        "\n".join(f"left out: {one}" for one in left_out),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _runs(cells: Cells) -> str:
    rows = [("program", "messages/s", "router is", "cpu s/1000", "MB", "first s", "rounds")]
    cases: dict[Case, dict[str, Sequence[Run]]] = {}
    for (case, program), runs in cells.items():
        if runs:
            cases.setdefault(case, {})[program] = runs
    out = []
    for case, programs in cases.items():
        out += [case.name, *_table([*rows, *_case_rows(programs)]), ""]
    return "\n".join(out).rstrip()


def _case_rows(programs: Mapping[str, Sequence[Run]]) -> Iterator[tuple[str, ...]]:
    ours = _median(run.rate for run in programs[ROUTER]) if ROUTER in programs else 0.0
    for program, runs in programs.items():
        rate = _median(run.rate for run in runs)
        yield (
            program,
            f"{rate:,.0f}",
            f"{ours / rate:.2f} ×" if ours and program != ROUTER else "",
            f"{_median(run.cpu for run in runs):.3f}",
            f"{_median(run.rss for run in runs) / 1e6:.0f}",
            f"{_median(run.first for run in runs):.1f}",
            " ".join(f"{run.rate:,.0f}" for run in runs),
        )


def _waits(waits: Waits) -> str:
    rows: list[tuple[str, ...]] = [
        ("latency, ms", "records/s", "of capacity", "p50", "p95", "p99", "p99.9")
    ]
    for wait, found in waits.items():
        if found:
            share = f"{wait.share:.0%}" if wait.share else ""
            percentiles = (f"{seconds * 1e3:.1f}" for seconds in middle(found))
            rows.append((f"{wait.load} {wait.program}", f"{wait.rate:.0f}", share, *percentiles))
    return "\n".join(_table(rows)) if len(rows) > 1 else ""


def _ratios(ratios: Sequence[Ratio]) -> str:
    rows = [("ratio", "value", "noise", "promised", "")]
    for ratio in ratios:
        sign = "≥" if ratio.better == "higher" else "≤"
        bound = "" if ratio.bound is None else f"{sign} {ratio.bound:g}"
        word = {True: "kept", False: "MISSED", None: ""}[ratio.kept]
        rows.append((ratio.name, f"{ratio.value:.2f}", f"{ratio.noise:.0%}", bound, word))
    return "\n".join(_table(rows)) if len(rows) > 1 else ""


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """The first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _median(values: Iterable[float]) -> float:
    return statistics.median(values)
