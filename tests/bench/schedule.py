"""When each message of an open loop is due: fixed beforehand, so that no answer is waited for.

A loop that sends the next message once the last was answered measures its own patience: while the
program under it stands still it sends nothing, and the worst latencies are never seen.
"""

from __future__ import annotations

import random


def steady(rate: float, count: int) -> list[float]:
    """Seconds from the beginning, ``rate`` of them a second, evenly."""
    return [number / rate for number in range(count)]


def poisson(rate: float, seconds: float, seed: int = 1) -> list[float]:
    """As independent customers come: ``rate`` a second on average for ``seconds``, in clusters and
    gaps. A seed gives the same ones again."""
    dice = random.Random(seed)  # noqa: S311 - reproducible, not secret
    due: list[float] = []
    at = dice.expovariate(rate)
    while at < seconds:
        due.append(at)
        at += dice.expovariate(rate)
    return due
