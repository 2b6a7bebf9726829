"""Every metric, declared once: name, kind, meaning, labels, buckets.

Seconds and bytes, counters end in ``_total``. Labels come from closed lists (queues of the policy,
reasons, channels, stages, partitions), never from a customer's message.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True)
class Declared:
    name: str
    kind: Kind
    doc: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    @property
    def series(self) -> tuple[str, ...]:
        """The names as a query writes them."""
        if self.kind == "histogram":
            return tuple(f"{self.name}_{suffix}" for suffix in ("bucket", "count", "sum"))
        return (self.name,)


# Parsing a record takes tens of microseconds, inferring a full batch up to a second; the last two
# are for queue_wait, where a backlog shows.
_STAGE = (1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 60)
# A quiet worker answers in about ten milliseconds; customers and alerts mind seconds; after an
# outage the oldest may have waited for hours.
_END_TO_END = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)
# Thresholds stand between 0.5 and 0.99, so that is where a shift must be seen.
_CONFIDENCE = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99, 1.0)
# Doubling up to the largest ROUTER_BATCH_RECORDS.
_BATCH = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 10_000)

CONSUMED = Declared(
    "router_consumed_total", "counter", "Records taken from the input topics.", ("channel",)
)
DECISIONS = Declared(
    "router_decisions_total",
    "counter",
    "Decisions published to a queue or to review.",
    ("queue", "reason", "channel"),
)
REJECTED = Declared(
    "router_rejected_total", "counter", "Records sent to the dead-letter topic.", ("reason",)
)
IGNORED = Declared(
    "router_ignored_total", "counter", "Events that no customer wrote, only logged.", ("reason",)
)
CONFIDENCE = Declared(
    "router_confidence",
    "histogram",
    "Calibrated probability of the intent, of decisions that have one.",
    ("queue",),
    _CONFIDENCE,
)
STAGE = Declared(
    "router_stage_seconds",
    "histogram",
    "Time of one batch in one stage of the line.",
    ("stage",),
    _STAGE,
)
DECISION = Declared(
    "router_decision_seconds",
    "histogram",
    "From a record's broker time to the acknowledged publication of its decision.",
    ("channel",),
    _END_TO_END,
)
BATCH_SIZE = Declared(
    "router_batch_size", "histogram", "Records routed and published together.", (), _BATCH
)
LAG_SECONDS = Declared(
    "router_lag_seconds",
    "gauge",
    "Age of the oldest record that is not yet decided, 0 when none waits.",
    ("topic", "partition"),
)
LAG_RECORDS = Declared(
    "router_lag_records", "gauge", "Records that are not yet decided.", ("topic", "partition")
)
MODEL_FAILURES = Declared(
    "router_model_failures_total",
    "counter",
    "Calls that the model failed to answer in time: a batch, its texts, a probe.",
)
MODEL_AVAILABLE = Declared(
    "router_model_available", "gauge", "1 while the model is asked, 0 while its breaker is open."
)
BREAKER_TRANSITIONS = Declared(
    "router_breaker_transitions_total",
    "counter",
    "Times the model's circuit breaker came to a state: open, half_open, closed.",
    ("state",),
)
MODEL_SWAPS = Declared(
    "router_model_swaps_total",
    "counter",
    "Times other models came into force: a live one, a canary or its share, a shadow.",
)
MODEL_REFUSED = Declared(
    "router_model_refused_total",
    "counter",
    "Times a model that was to come into force did not load, and what was in force stayed.",
)
MODEL_DECISIONS = Declared(
    "router_model_decisions_total",
    "counter",
    "Decisions published that a model answered, by model: the live one, or a canary.",
    ("name", "version"),
)
TRIAL_FAILURES = Declared(
    "router_trial_failures_total",
    "counter",
    "Calls that a canary or a shadow failed to answer in time; the live model answers instead.",
    ("role",),
)
SHADOW = Declared(
    "router_shadow_total",
    "counter",
    "Messages that the shadow would have sent to the same queue as the live model, or to another.",
    ("agrees",),
)
SHADOW_DROPPED = Declared(
    "router_shadow_dropped_total",
    "counter",
    "Messages not compared: the shadow was behind, or gave no answer.",
)
REBALANCES = Declared(
    "router_rebalances_total", "counter", "Times this worker's assignment changed."
)
READY = Declared("router_worker_ready", "gauge", "1 when /readyz says yes, else 0.")
BUILD = Declared("router_build_info", "gauge", "1; the running version.", ("version",))
MODEL = Declared("router_model_info", "gauge", "1; the loaded model.", ("name", "version"))
MODEL_ROLE = Declared(
    "router_model_role_info",
    "gauge",
    "1; the models in force by role: live, canary, shadow.",
    ("name", "version", "role"),
)
CANARY_SHARE = Declared(
    "router_canary_share", "gauge", "Share of the conversations that are the canary's, 0 to 1."
)
POLICY = Declared("router_policy_info", "gauge", "1; the policy in force.", ("name", "version"))

DECLARED = (
    CONSUMED,
    DECISIONS,
    REJECTED,
    IGNORED,
    CONFIDENCE,
    STAGE,
    DECISION,
    BATCH_SIZE,
    LAG_SECONDS,
    LAG_RECORDS,
    MODEL_FAILURES,
    MODEL_AVAILABLE,
    BREAKER_TRANSITIONS,
    MODEL_SWAPS,
    MODEL_REFUSED,
    MODEL_DECISIONS,
    TRIAL_FAILURES,
    SHADOW,
    SHADOW_DROPPED,
    REBALANCES,
    READY,
    BUILD,
    MODEL,
    MODEL_ROLE,
    CANARY_SHARE,
    POLICY,
)

METRIC_NAMES: frozenset[str] = frozenset(name for metric in DECLARED for name in metric.series)
"""Every series of ours that ``/metrics`` exposes, as dashboards and alerts may name it."""
