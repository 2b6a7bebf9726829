"""Seconds by stage, by a clock that is given."""

from __future__ import annotations

from collections.abc import Sequence

from router.core.clock import Clock
from router.core.decision import Stage
from router.core.prediction import Predictions


class Stopwatch:
    """Seconds by stage, rounded to the microsecond; each lap starts where the one before ended."""

    def __init__(self, clock: Clock, fetched_at: float) -> None:
        self._clock = clock
        self._last = clock.monotonic()
        self.timings: dict[Stage, float] = {"queue_wait": _seconds(self._last - fetched_at)}

    def lap(self, stage: Stage) -> None:
        now = self._clock.monotonic()
        self.timings[stage] = _seconds(now - self._last)
        self._last = now

    def model(self, predictions: Sequence[Predictions]) -> None:
        """The model times its own two steps; what else passed meanwhile is no stage's."""
        if predictions:
            self.timings["tokenise"] = _seconds(sum(p.tokenise_seconds for p in predictions))
            self.timings["infer"] = _seconds(sum(p.infer_seconds for p in predictions))
        self._last = self._clock.monotonic()


def _seconds(elapsed: float) -> float:
    return round(max(0.0, elapsed), 6)
