"""A worker's costs out of a measured document, and the simulation beside what it was not fitted
to."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from tests.bench.capacity import error
from tests.bench.cases import ROUTER, middle
from tests.bench.document import median
from tests.bench.figures import Latency, latencies
from tests.bench.ratios import Cells, Waits
from tests.bench.schedule import poisson as customers
from tests.bench.simulation.arrivals import Places
from tests.bench.simulation.world import Costs, simulate
from tests.bench.waits import QUIET, Wait

_CONVERSATIONS = 400
_MESSAGES = 20_000
_SECONDS = 120.0

_HALF = (ROUTER, "live", 0.5)
_MOST_FIXED = 0.25
_FIXED_WITHIN = 0.000_1
"""Seconds: no batch costs more beside its messages, and so well is it found."""


@dataclass(frozen=True, slots=True)
class Check:
    """``predicted`` and ``measured`` are messages a second, or seconds."""

    name: str
    predicted: float
    measured: float

    @property
    def error(self) -> float:
        return error(self.predicted, self.measured)


def costs_of(cells: Cells, waits: Waits) -> Costs:
    """Of the live bundle on chat. What full batches and what small ones cost are two measurements,
    the rate and the median latency at half of it, and two unknowns: the fixed cost and the cost a
    message. What a message waits beside the worker's own time is the copy's latency where nothing
    queues.

    Raises:
        ValueError: the document has no run of the live bundle.
    """
    case = middle("live")
    rate = median(cells, case, "rate")
    if not rate:
        raise ValueError("the document has no run of the live bundle")
    quiet = waits.get(Wait(ROUTER, "copy", QUIET))
    after = statistics.median(one.p50 for one in quiet) if quiet else 0.0
    half = [wait for wait in waits if (wait.program, wait.load, wait.share) == _HALF]
    if not half:
        return _costs(0.0, rate, after)
    aim = statistics.median(one.p50 for one in waits[half[0]])
    low, high = 0.0, _MOST_FIXED
    while high - low > _FIXED_WITHIN:
        middling = (low + high) / 2
        if _open_loop(_costs(middling, rate, after), half[0]).p50 < aim:
            low = middling
        else:
            high = middling
    return _costs(low, rate, after)


def _costs(fixed: float, rate: float, after: float) -> Costs:
    """``rate`` is that of full batches."""
    full = Costs(0.0, 0.0).batch_records
    return Costs(fixed, max(0.0, 1 / rate - fixed / full), after)


def checks(cells: Cells, waits: Waits, costs: Costs) -> Iterator[Check]:
    """What waits worked through by one worker (the fit itself) and by two, and the latency at each
    share of the capacity."""
    for workers in (1, 2):
        case = replace(middle("live"), workers=workers)
        measured = median(cells, case, "rate")
        if measured:
            predicted = drained(costs, workers, case.partitions)
            yield Check(f"messages a second, {workers} workers", predicted, measured)
    for wait, found in waits.items():
        if wait.program == ROUTER and wait.load == "live":
            seen = _open_loop(costs, wait)
            for name in ("p50", "p99"):
                measured = statistics.median(getattr(one, name) for one in found)
                words = f"{name} at {wait.share:.0%} of capacity, s"
                yield Check(words, getattr(seen, name), measured)


def drained(costs: Costs, workers: int, partitions: int) -> float:
    """The rate at which what waits is worked through."""
    seen = simulate(
        np.zeros(_MESSAGES), _alike(_MESSAGES, partitions), partitions, costs, workers=workers
    )
    return _MESSAGES / seen.ended


def _open_loop(costs: Costs, wait: Wait) -> Latency:
    due = np.asarray(customers(wait.rate, _SECONDS))
    partitions = wait.case.partitions
    seen = simulate(due, _alike(len(due), partitions), partitions, costs, workers=1)
    return latencies(seen.waits.tolist())


def _alike(count: int, partitions: int) -> Places:
    """As the benchmark places its conversations."""
    return np.arange(count, dtype=np.int64) % _CONVERSATIONS % partitions
