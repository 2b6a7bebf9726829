"""A document that the suite wrote (see ``report.py``), read again."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from tests.bench.cases import ROUTER, Case
from tests.bench.drain import Run
from tests.bench.figures import Latency
from tests.bench.ratios import Cells, Waits
from tests.bench.waits import Wait

_CASE = tuple(field.name for field in fields(Case))


def cells_in(document: Mapping[str, Any]) -> Cells:
    """Every round of every case and program.

    Raises:
        KeyError: it is no such document.
    """
    return {
        (Case(**{name: row[name] for name in _CASE}), row["program"]): [
            Run(**one) for one in row["rounds"]
        ]
        for row in document["runs"]
        if row["rounds"]
    }


def waits_in(document: Mapping[str, Any]) -> Waits:
    """Every round of every latency run.

    Raises:
        KeyError: it is no such document.
    """
    return {
        Wait(**{name: row[name] for name in Wait._fields}): [
            Latency(**one) for one in row["rounds"]
        ]
        for row in document["latency"]
        if row["rounds"]
    }


def median(cells: Cells, case: Case, name: str, program: str = ROUTER) -> float | None:
    """Over the rounds, of the figure of this name; None where it was not measured."""
    runs = cells.get((case, program))
    return statistics.median(getattr(run, name) for run in runs) if runs else None
