"""Whether a series goes up: a straight line through it, and how sure one can be of its slope.

Neighbouring samples of a process's memory are much alike, so each counts as less than one: their
number is reduced by the residuals' own correlation with their neighbours (Santer et al.,
Statistical significance of trends, 2000).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

_Z = 1.96
_FEWEST = 3.0
"""Of independent samples, below which nothing is known of a slope."""


class Slope(NamedTuple):
    """``value`` in the series' unit a unit of time; ``low`` and ``high`` enclose it with 95 %."""

    value: float
    low: float
    high: float

    @property
    def is_none(self) -> bool:
        """Not distinguishable from zero."""
        return self.low <= 0 <= self.high


def slope_of(times: Sequence[float], values: Sequence[float]) -> Slope:
    """The least-squares slope of ``values`` over ``times``.

    Raises:
        ValueError: there are fewer than three, or all at one time.
    """
    count = len(times)
    if count < 3 or max(times) == min(times):
        raise ValueError("a slope needs three values at different times")
    middle_time, middle_value = math.fsum(times) / count, math.fsum(values) / count
    spread = math.fsum((time - middle_time) ** 2 for time in times)
    slope = (
        math.fsum(
            (time - middle_time) * (value - middle_value)
            for time, value in zip(times, values, strict=True)
        )
        / spread
    )
    left = [
        value - middle_value - slope * (time - middle_time)
        for time, value in zip(times, values, strict=True)
    ]
    independent = count * (1 - _alike(left)) / (1 + _alike(left))
    if independent <= _FEWEST:
        return Slope(slope, -math.inf, math.inf)
    error = math.sqrt(math.fsum(one * one for one in left) / (independent - 2) / spread)
    return Slope(slope, slope - _Z * error, slope + _Z * error)


def _alike(left: Sequence[float]) -> float:
    """How much of a residual is its predecessor's: 0 to nearly 1."""
    power = math.fsum(one * one for one in left)
    if not power:
        return 0.0
    shared = math.fsum(a * b for a, b in pairwise(left))
    return min(max(shared / power, 0.0), 0.999)
