"""What the line survives, told to people: one log line a second for each kind, all of it counted.

A model that is down fails on every text; a log line for each would hide everything else.
"""

from __future__ import annotations

import threading

import structlog

from router.core.clock import Clock
from router.ops.metrics import Metrics

_log = structlog.get_logger("router.line")
_INTERVAL = 1.0
_WORDS = {
    "model": "the model failed",
    "canary": "the canary failed; the live model is asked instead",
    "shadow": "the shadow failed; nothing was decided otherwise",
}


class FaultReporter:
    """A ``router.core.line.OnFault``; may be called from several threads."""

    def __init__(self, metrics: Metrics, clock: Clock) -> None:
        self._metrics = metrics
        self._clock = clock
        self._lock = threading.Lock()
        self._told: dict[tuple[str, type[Exception]], float] = {}
        self._untold = 0

    def __call__(self, where: str, error: Exception) -> None:
        """``where`` is ``model``, ``canary``, ``shadow`` or the record's coordinates."""
        if where == "model":
            self._metrics.model_failed(1)
        elif where in _WORDS:
            self._metrics.trial_failed(where)
        untold = self._turn((where if where in _WORDS else "", type(error)))
        if untold is not None:
            words = _WORDS.get(where, "a record made the router fail")
            _log.error(words, where=where, not_logged_before=untold, exc_info=error)

    def _turn(self, kind: tuple[str, type[Exception]]) -> int | None:
        """How many faults went unlogged since the last line, or None: keep quiet."""
        with self._lock:
            now = self._clock.monotonic()
            if now - self._told.get(kind, -_INTERVAL) < _INTERVAL:
                self._untold += 1
                return None
            self._told[kind] = now
            untold, self._untold = self._untold, 0
            return untold
