"""What is made of the raw numbers: percentiles, ratios between runs, and how far repeats differ."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

Better = Literal["higher", "lower"]


UNREPEATED = 0.3
"""Two single rounds have differed by so much on machines that others use too."""


class Latency(NamedTuple):
    """Seconds."""

    p50: float
    p95: float
    p99: float
    p999: float


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest of ``ordered`` that at least ``share`` of them do not exceed.

    Raises:
        ValueError: there are none.
    """
    if not ordered:
        raise ValueError("no values")
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def latencies(waits: Sequence[float]) -> Latency:
    """The percentiles of ``waits``, in any order.

    Raises:
        ValueError: there are none.
    """
    ordered = sorted(waits)
    return Latency(*(percentile(ordered, share) for share in (0.5, 0.95, 0.99, 0.999)))


def middle(found: Sequence[Latency]) -> Latency:
    """The median of each percentile over repeats."""
    return Latency(*map(statistics.median, zip(*found, strict=True)))


class Sample(NamedTuple):
    """One look at a running program: ``cpu`` in seconds so far, ``rss`` in bytes, all its
    processes together; ``at`` is the clock's."""

    at: float
    cpu: float
    rss: int


def cpu_at(samples: Sequence[Sample], at: float) -> float:
    """Processor seconds used until ``at``, on the line between the looks before and after it.

    Raises:
        ValueError: nobody looked.
    """
    if not samples:
        raise ValueError("no samples")
    for before, after in pairwise(samples):
        if before.at <= at <= after.at and after.at > before.at:
            share = (at - before.at) / (after.at - before.at)
            return before.cpu + share * (after.cpu - before.cpu)
    return samples[0].cpu if at < samples[0].at else samples[-1].cpu


@dataclass(frozen=True, slots=True)
class Ratio:
    """One figure in relation to its baseline, once for each round; both are of the same round.

    ``bound`` is what is promised, at least where higher is better, else at most.
    """

    name: str
    each: tuple[float, ...]
    better: Better = "higher"
    bound: float | None = None

    @property
    def value(self) -> float:
        return statistics.median(self.each)

    @property
    def noise(self) -> float:
        """Largest less smallest, as a share of the median: what repeats alone make of it. Of a
        single round it is not known, and taken to be `UNREPEATED`."""
        if len(self.each) == 1:
            return UNREPEATED
        return (max(self.each) - min(self.each)) / self.value

    @property
    def kept(self) -> bool | None:
        """Whether the promise is; None where there is none."""
        if self.bound is None:
            return None
        return self.value >= self.bound if self.better == "higher" else self.value <= self.bound


def ratio_of(
    name: str,
    ours: Sequence[float],
    theirs: Sequence[float],
    better: Better = "higher",
    bound: float | None = None,
) -> Ratio | None:
    """Round by round; None where a round of either is missing."""
    if not ours or len(ours) != len(theirs) or not all(theirs):
        return None
    each = tuple(mine / other for mine, other in zip(ours, theirs, strict=True))
    return Ratio(name, each, better, bound)
