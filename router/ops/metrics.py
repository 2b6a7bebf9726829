"""The worker's metrics: counted per batch, label children kept.

The hot path looks nothing up in the registry: a batch is added up first, and the child of a set of
labels is made once.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Literal, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from router import __version__
from router.core.breaker import State
from router.core.choosing import ModelSet
from router.core.clock import Clock
from router.core.decision import PolicyRef, Stage
from router.core.event import RejectReason
from router.ops import declarations as declared
from router.ops.clock import SystemClock
from router.ops.histograms import BatchHistogram
from router.ops.lag import LagCollector, LagSource

if TYPE_CHECKING:
    from router.core.line import Outcome

TimedStage = Stage | Literal["publish"]

METRIC_NAMES = declared.METRIC_NAMES


class Metrics:
    """All metrics on a registry of their own, so that two workers in one test do not share."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self._lag = LagCollector(clock or SystemClock())
        self.registry.register(self._lag)
        self._consumed = self._counter(declared.CONSUMED)
        self._decisions = self._counter(declared.DECISIONS)
        self._rejected = self._counter(declared.REJECTED)
        self._ignored = self._counter(declared.IGNORED)
        self._confidence = self._batches(declared.CONFIDENCE)
        self._stage = self._histogram(declared.STAGE)
        self._decision = self._batches(declared.DECISION)
        self._batch_size = self._histogram(declared.BATCH_SIZE)
        self._model_failures = self._counter(declared.MODEL_FAILURES)
        self._model_available = self._gauge(declared.MODEL_AVAILABLE)
        self._transitions = self._counter(declared.BREAKER_TRANSITIONS)
        self._swaps = self._counter(declared.MODEL_SWAPS)
        self._refused = self._counter(declared.MODEL_REFUSED)
        self._by_model = self._counter(declared.MODEL_DECISIONS)
        self._trial_failures = self._counter(declared.TRIAL_FAILURES)
        self._shadow = self._counter(declared.SHADOW)
        self._shadow_dropped = self._counter(declared.SHADOW_DROPPED)
        self._rebalances = self._counter(declared.REBALANCES)
        self._ready = self._gauge(declared.READY)
        self._model = self._gauge(declared.MODEL)
        self._role = self._gauge(declared.MODEL_ROLE)
        self._share = self._gauge(declared.CANARY_SHARE)
        self._policy = self._gauge(declared.POLICY)
        self._gauge(declared.BUILD).labels(__version__).set(1)
        self._of_stage = cache(self._stage.labels)
        self._of_decision = cache(self._decisions.labels)
        for channel in ("chat", "email"):  # from nought, so that a first increase is seen
            self._consumed.labels(channel)
            self._decision.observe((channel,))
        for state in get_args(State):
            self._transitions.labels(state)
        for role in ("canary", "shadow"):
            self._trial_failures.labels(role)
        for agrees in ("true", "false"):
            self._shadow.labels(agrees)
        self._model_available.set(1)
        for reason in get_args(RejectReason):
            self._rejected.labels(reason)

    def stage(self, stage: TimedStage, seconds: float) -> None:
        """A batch spent ``seconds`` in ``stage``."""
        self._of_stage(stage).observe(max(0.0, seconds))

    def published(self, outcomes: Sequence[Outcome], at: float) -> None:
        """A batch's records were acknowledged by the broker ``at`` (seconds since the epoch)."""
        self._batch_size.observe(len(outcomes))
        waited: dict[str, list[float]] = defaultdict(list)
        decided: list[tuple[str, str, str]] = []
        sure: dict[str, list[float]] = defaultdict(list)
        answered: list[tuple[str, str]] = []
        for outcome in outcomes:
            channel, decision = outcome.channel, outcome.decision
            waited[channel].append(late if (late := at - outcome.broker_time) > 0.0 else 0.0)
            if outcome.rejected is not None:
                self._rejected.labels(outcome.rejected.reason).inc()
            elif decision is None:
                continue
            elif outcome.kind == "ignored":
                self._ignored.labels(decision.reason).inc()
            else:
                decided.append((decision.queue, decision.reason, channel))
                if decision.model is not None:
                    answered.append((decision.model.name, decision.model.version))
                if decision.confidence is not None:
                    sure[decision.queue].append(decision.confidence)
        for labels, count in Tally(decided).items():
            self._of_decision(*labels).inc(count)
        for model, count in Tally(answered).items():
            self._by_model.labels(*model).inc(count)
        for name, seconds in waited.items():
            self._consumed.labels(name).inc(len(seconds))
            self._decision.observe((name,), seconds)
        for queue, confidences in sure.items():
            self._confidence.observe((queue,), confidences)

    def model_failed(self, calls: int = 1) -> None:
        """The model gave no answer to ``calls`` calls."""
        self._model_failures.inc(calls)

    def breaker(self, state: State) -> None:
        """The model's circuit breaker came to ``state``."""
        self._transitions.labels(state).inc()
        self._model_available.set(state == "closed")

    def breaker_renewed(self) -> None:
        """Another model is live, its breaker closed."""
        self._model_available.set(1)

    def rebalanced(self) -> None:
        """This worker's assignment changed."""
        self._rebalances.inc()

    def in_force(self, models: ModelSet) -> None:
        """These models are in force, and no others."""
        self._model.clear()
        self._role.clear()
        roles = {"live": models.live, "canary": models.canary, "shadow": models.shadow}
        for role, model in roles.items():
            if model is not None:
                ref = model.classifier.ref
                self._role.labels(ref.name, ref.version, role).set(1)
                self._by_model.labels(ref.name, ref.version)
        if models.live is not None:
            live = models.live.classifier.ref
            self._model.labels(live.name, live.version).set(1)
        self._share.set(models.share)

    def swapped(self) -> None:
        """Other models came into force."""
        self._swaps.inc()

    def refused(self) -> None:
        """A model that was to come into force did not load."""
        self._refused.inc()

    def trial_failed(self, role: str) -> None:
        """A canary or a shadow gave no answer to a call."""
        self._trial_failures.labels(role).inc()

    def shadowed(self, agreeing: int, others: int) -> None:
        """The shadow was compared with so many decisions."""
        self._shadow.labels("true").inc(agreeing)
        self._shadow.labels("false").inc(others)

    def shadow_dropped(self, messages: int) -> None:
        """So many messages were not compared."""
        self._shadow_dropped.inc(messages)

    def decides_by(self, policy: PolicyRef) -> None:
        """This policy is in force, and no other."""
        self._policy.clear()
        self._policy.labels(policy.name, policy.version).set(1)

    def lag_from(self, source: LagSource) -> None:
        """Ask ``source`` for the lag at every scrape."""
        self._lag.source = source

    def ready_from(self, ready: Callable[[], bool]) -> None:
        """Ask ``ready`` at every scrape."""
        self._ready.set_function(ready)

    def _counter(self, metric: declared.Declared) -> Counter:
        return Counter(metric.name, metric.doc, metric.labels, registry=self.registry)

    def _gauge(self, metric: declared.Declared) -> Gauge:
        return Gauge(metric.name, metric.doc, metric.labels, registry=self.registry)

    def _batches(self, metric: declared.Declared) -> BatchHistogram:
        histogram = BatchHistogram(metric)
        self.registry.register(histogram)
        return histogram

    def _histogram(self, metric: declared.Declared) -> Histogram:
        return Histogram(
            metric.name, metric.doc, metric.labels, registry=self.registry, buckets=metric.buckets
        )
