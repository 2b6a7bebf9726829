"""A document as the suite writes it, of figures that nobody measured: for the tests of what reads
one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from tests.bench import ratios, report
from tests.bench.cases import Load, Text, one_at_a_time, programs_of
from tests.bench.drain import Run
from tests.bench.figures import Latency
from tests.bench.waits import plan

_RATE: Mapping[Load, float] = {"copy": 200_000.0, "null": 40_000.0, "live": 200.0}
_OF_CHAT: Mapping[Text, float] = {"chat": 1.0, "long": 0.4, "email": 0.1, "mix": 0.38}
_FACTS: Mapping[str, Any] = {
    "date": "2026-01-05T08:00:00+00:00",
    "commit": "0123456789abcdef",
    "changed": False,
    "machine": {
        "processor": "A processor",
        "cores": 2,
        "instructions": ["avx2"],
        "memory_mb": 1024,
        "system": "Linux",
    },
    "versions": {"kafka": "4.1.1"},
}


def drawn_document(rounds: int = 3) -> dict[str, Any]:
    """Two workers do 1.8 times as much as one, every baseline half as much as the router."""
    cells = {}
    for case in one_at_a_time():
        for program in programs_of(case, full=False):
            share = 1.0 if program.name == "router" else 0.5
            rate = (
                _RATE[case.load] * _OF_CHAT[case.text] * share * (1.8 if case.workers == 2 else 1)
            )
            runs = [
                Run(rate * each, 500 / rate, 2**28, 0.0, 3.5, 1, 0.006)
                for each in (0.9, 1, 1.1)[:rounds]
            ]
            cells[case, program.name] = runs
    waits = {wait: [Latency(0.02, 0.03, 0.05, 0.08)] * rounds for wait in plan(_RATE["live"])}
    found = [*ratios.throughput(cells), *ratios.latency(waits, cells)]
    made = report.document(
        _FACTS, {"rounds": rounds}, cells=cells, waits=waits, ratios=found, left_out=[]
    )
    read: dict[str, Any] = orjson.loads(orjson.dumps(made))  # as it comes back from a file
    return read
