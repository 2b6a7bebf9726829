"""The model's circuit breaker, told to people: the metrics, the probes' words and the log."""

from __future__ import annotations

import structlog

from router.core.breaker import Breaker
from router.ops.health import Health
from router.ops.metrics import Metrics

_log = structlog.get_logger("router.model")


class ModelWatch:
    """Called with the breaker at each change of its state, in order, from any thread."""

    def __init__(self, metrics: Metrics, health: Health) -> None:
        self._metrics = metrics
        self._health = health

    def __call__(self, breaker: Breaker) -> None:
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
