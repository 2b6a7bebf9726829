"""A line that does next to nothing, so that a test of the stream is about the stream."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Self

from router.core.choosing import ModelSet
from router.core.decision import Decision, PolicyRef
from router.core.line import Outcome
from router.core.policy import Handling, Policy
from router.core.record import InRecord, OutRecord
from router.core.topics import Topics

_EPOCH = datetime.fromtimestamp(0, UTC)
_POLICY = PolicyRef("echo", "1", "0" * 64)

Hook = Callable[[Sequence[InRecord]], None]


class EchoLine:
    """Sends every record's value to ``router.review`` with its source in a header."""

    models = ModelSet(live=None)

    def __init__(self, topics: Topics, hook: Hook = lambda records: None) -> None:
        self.topics = topics
        self.hook = hook
        self.seen: list[int] = []
        self.policy = Policy(
            ref=_POLICY,
            queues={},
            flags={},
            rules=(),
            otherwise="router.review",
            review=Handling(priority=3, due=timedelta(hours=1)),
            threshold=0.5,
            in_scope=0.5,
            candidates=1,
            languages=None,
        )

    def with_models(self, models: ModelSet) -> Self:
        del models  # it asks none
        return self

    def route(self, records: Sequence[InRecord], fetched_at: float) -> list[Outcome]:
        self.hook(records)
        self.seen.append(len(records))
        waited = max(0.0, time.monotonic() - fetched_at)
        return [outcome_of(record, self.topics, waited) for record in records]


def outcome_of(record: InRecord, topics: Topics, waited: float = 0.0) -> Outcome:
    """One routed outcome that publishes the record's value to ``router.review``."""
    source = (("source", str(record.source).encode()),)
    return Outcome(
        source=record.source,
        channel=topics.channel(record.source.topic),
        kind="review",
        decision=_decision(record, topics),
        rejected=None,
        records=(OutRecord(topics.review, record.key, record.value, source),),
        timings={"queue_wait": waited},
        broker_time=record.broker_time,
    )


def _decision(record: InRecord, topics: Topics) -> Decision:
    return Decision(
        schema="routing-decision/v1",
        decision_id=str(record.source),
        event_id=str(record.source),
        channel=topics.channel(record.source.topic),
        conversation_id="c",
        time=_EPOCH,
        decided_at=_EPOCH,
        queue="router.review",
        reason="fallback",
        explanation="",
        rule=None,
        intent=None,
        confidence=None,
        threshold=None,
        candidates=(),
        flags=(),
        language="und",
        priority=3,
        due_at=None,
        policy=_POLICY,
        model=None,
        source=record.source,
        timings={},
        router_version="0",
    )
