"""The model's guard, told to people: the metrics, the probes' words and the log."""

from __future__ import annotations

import structlog

from router.core.breaker import Breaker
from router.ops.health import Health
from router.ops.metrics import Metrics

_log = structlog.get_logger("router.model")


STUCK_AFTER = 300.0
"""Seconds without a thread to probe the model with, after which the process is not alive: it will
not get better by itself, and a new one may."""

_PART = "model"


class ModelWatch:
    """A `router.core.breaker.Watch`."""

    def __init__(self, metrics: Metrics, health: Health) -> None:
        self._metrics = metrics
        self._health = health
        self._out = False

    def changed(self, breaker: Breaker) -> None:
        """Tell the state, why, and when it is probed."""
        self._metrics.breaker(breaker.state)
        if breaker.asks:
            self._health.impaired(None)
            _log.info("the model is asked again")
            return
        self._health.impaired(f"model unavailable: {breaker.why}")
        if breaker.state == "open":
            _log.error("the model is not asked", why=breaker.why, probe_in_seconds=breaker.pause)
        else:
            _log.info("the model is probed")

    def out_of_threads(self, out: bool) -> None:
        """Have liveness fail, in time, when the model cannot even be probed any more."""
        if out and not self._out:
            self._health.beat(_PART, STUCK_AFTER)
            _log.error("the model hangs in every thread it may have", restart_after=STUCK_AFTER)
        elif self._out and not out:
            self._health.unwatch(_PART)
        self._out = out
