"""The models and their guards, told to people: the metrics, the probes' words and the log."""

from __future__ import annotations

import structlog

from router.core.breaker import Breaker, Watch
from router.core.choosing import Model, ModelSet, Role
from router.core.shadowing import Shadow
from router.errors import BundleError
from router.ops.health import Health
from router.ops.metrics import Metrics

_log = structlog.get_logger("router.model")


STUCK_AFTER = 300.0
"""Seconds without a thread to probe the model with, after which the process is not alive: it will
not get better by itself, and a new one may."""

_PART = "model"


class ModelWatch:
    """A `router.core.breaker.Watch` of the live model."""

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

    def renewed(self) -> None:
        """Another model is live, and nothing bad is known of it."""
        self.out_of_threads(False)
        self._metrics.breaker_renewed()
        self._health.impaired(None)


class TrialWatch:
    """A `router.core.breaker.Watch` of a canary or a shadow: whatever becomes of it, the live model
    answers, so the worker's health is not its matter."""

    def __init__(self, role: Role) -> None:
        self._role = role
        self._out = False

    def changed(self, breaker: Breaker) -> None:
        """Log the state."""
        if breaker.asks:
            _log.info(f"the {self._role} is asked again")
        elif breaker.state == "open":
            _log.warning(
                f"the {self._role} is not asked", why=breaker.why, probe_in_seconds=breaker.pause
            )

    def out_of_threads(self, out: bool) -> None:
        """Log it once."""
        if out and not self._out:
            _log.error(f"the {self._role} hangs in every thread it may have")
        self._out = out


class ModelWatches:
    """Told of all models that a worker has in force."""

    def __init__(self, metrics: Metrics, health: Health) -> None:
        self.live = ModelWatch(metrics, health)
        self._metrics = metrics

    def of(self, role: Role) -> Watch:
        """Who is told of the breaker of a new model in this role."""
        return self.live if role == "live" else TrialWatch(role)

    def compared(self, agreeing: int, others: int) -> None:
        """See `router.model.shadow.ShadowWatch`."""
        self._metrics.shadowed(agreeing, others)

    def dropped(self, messages: int) -> None:
        """See `router.model.shadow.ShadowWatch`."""
        self._metrics.shadow_dropped(messages)

    def refused(self, role: Role, error: BundleError) -> None:
        """A model did not load and is not in force."""
        self._metrics.refused()
        _log.error("a model is refused; what is in force stays", role=role,
                   problem=error.problem, fix=error.fix)  # fmt: skip

    def started(self, models: ModelSet) -> None:
        """These models are in force from the start."""
        self._metrics.in_force(models)

    def swapped(self, before: ModelSet, after: ModelSet) -> None:
        """``after`` is in force instead of ``before``."""
        for close in before.closers(after):
            close()
        if after.live is not before.live:
            self.live.renewed()
        self._metrics.in_force(after)
        self._metrics.swapped()
        _log.info("other models are in force", live=_name(after.live), canary=_name(after.canary),
                  share=after.share, shadow=_name(after.shadow))  # fmt: skip


def _name(model: Model | Shadow | None) -> str | None:
    if model is None:
        return None
    ref = model.classifier.ref
    return f"{ref.name}@{ref.version}"
