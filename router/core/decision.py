"""The decision: which queue, why, by what."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from router.core.prediction import ModelRef
from router.core.record import Source
from router.core.topics import Channel
from router.core.values import value

Reason = Literal[
    "intent",
    "rule",
    "flag",
    "low_confidence",
    "out_of_scope",
    "language",
    "empty",
    "model_unavailable",
    "fallback",
    "not_customer",
    "auto_reply",
]

Stage = Literal["queue_wait", "parse", "read", "tokenise", "infer", "decide"]
"""What can be timed before a decision is written; publishing is only in the metrics."""


@value(frozen=True)
class Candidate:
    """``likely``: it belongs to the prediction set, one of which is right as often as the model's
    card says."""

    intent: str
    queue: str
    confidence: float
    likely: bool


@value(frozen=True)
class PolicyRef:
    """``hash`` is the sha256 of the policy file's bytes, in hex."""

    name: str
    version: str
    hash: str


@value(frozen=True, kw_only=True)
class Decision:
    """One input record's outcome; the field names are the wire's (``schemas/``)."""

    schema: str
    decision_id: str
    event_id: str
    channel: Channel
    conversation_id: str
    time: datetime
    decided_at: datetime
    queue: str
    reason: Reason
    explanation: str
    rule: str | None
    intent: str | None
    confidence: float | None
    threshold: float | None
    candidates: tuple[Candidate, ...]
    flags: tuple[str, ...]
    language: str
    priority: int
    due_at: datetime | None
    policy: PolicyRef
    model: ModelRef | None
    source: Source
    timings: Mapping[Stage, float]
    router_version: str
