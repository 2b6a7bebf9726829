"""Exact binomial bounds: what so many errors among so many say of an unknown rate."""

from __future__ import annotations

import math

_HALVINGS = 50


def at_most(errors: int, n: int, rate: float) -> float:
    """The probability of ``errors`` or fewer among ``n``, each an error with ``rate``.

    It is the p-value of "the rate is above ``rate``". Summed term by term, in logarithms; for any
    ``errors`` from 0, ``n`` from 0 and ``rate`` from 0 to 1.
    """
    if errors >= n or rate <= 0:
        return 1.0
    if rate >= 1:
        return 0.0
    yes, no = math.log(rate), math.log1p(-rate)
    whole = math.lgamma(n + 1)
    terms = (
        math.exp(whole - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * yes + (n - k) * no)
        for k in range(errors + 1)
    )
    return min(1.0, math.fsum(terms))


def upper_bound(errors: int, n: int, delta: float) -> float:
    """The largest rate that ``errors`` among ``n`` do not exclude at level ``delta``: Clopper and
    Pearson's one-sided bound (1934), which the true rate exceeds at most ``delta`` of the time."""
    if errors >= n:
        return 1.0
    low, high = errors / n, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if at_most(errors, n, middle) > delta else (low, middle)
    return high


def fewest(errors: int, rate: float, delta: float) -> int:
    """How many there must be for ``errors`` among them to show, at level ``delta``, that the rate
    is at most ``rate`` (above 0)."""
    low, high = errors, errors + 1
    while at_most(errors, high, rate) > delta:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if at_most(errors, middle, rate) > delta else (low, middle)
    return high
