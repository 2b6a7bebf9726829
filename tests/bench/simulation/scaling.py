"""How many workers there should be: what deploy/kubernetes/autoscaling.yaml asks for, as a
function.

A HorizontalPodAutoscaler wants, of each measure, the present number times what is measured over
what is aimed at; the largest counts. What it wants is held against the windows of the recent past
before it is done.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

_TOLERANCE = 0.1
"""A HorizontalPodAutoscaler leaves alone what is this near to its aim."""


@dataclass(frozen=True, slots=True)
class Aims:
    """``lag`` in seconds; ``busy`` the processors' share, 0: not looked at. Windows in seconds;
    ``up`` and ``down`` are how many workers may come and go within ``up_period`` and
    ``down_period``, or twice as many as there were may be there after the former."""

    least: int = 2
    most: int = 8
    lag: float = 30.0
    busy: float = 0.7
    period: float = 15.0
    up_window: float = 30.0
    down_window: float = 600.0
    up: int = 2
    up_period: float = 60.0
    down: int = 1
    down_period: float = 120.0


@dataclass(slots=True)
class Scaler:
    """Asked every ``aims.period`` seconds."""

    aims: Aims
    _wanted: deque[tuple[float, int]] = field(default_factory=deque)
    _had: deque[tuple[float, int]] = field(default_factory=deque)

    def decide(self, now: float, workers: int, lag: float, busy: float) -> int:
        """The number of workers from now on; ``busy`` is of those present, 0 to 1."""
        aims = self.aims
        raw = _of(workers, lag, aims.lag)
        if aims.busy:
            raw = max(raw, _of(workers, busy, aims.busy))
        raw = min(max(raw, aims.least), aims.most)
        self._wanted.append((now, raw))
        self._had.append((now, workers))
        lowest = min(self._within(self._wanted, now, aims.up_window))
        highest = max(self._within(self._wanted, now, aims.down_window))
        if lowest > workers:
            before = min(self._within(self._had, now, aims.up_period))
            return min(lowest, max(2 * before, before + aims.up), aims.most)
        if highest < workers:
            before = max(self._within(self._had, now, aims.down_period))
            return min(max(highest, before - aims.down), workers)
        return workers

    @staticmethod
    def _within(past: deque[tuple[float, int]], now: float, window: float) -> list[int]:
        return [value for at, value in past if at > now - window] or [past[-1][1]]


def _of(workers: int, measured: float, aim: float) -> int:
    share = measured / aim
    return workers if abs(share - 1) <= _TOLERANCE else math.ceil(workers * share)
