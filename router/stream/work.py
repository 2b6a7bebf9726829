"""A slice's way: routed in a thread, published, then counted and logged."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from router.core.line import Outcome
from router.core.record import InRecord
from router.core.topics import Topics
from router.stream.gathering import Gathering
from router.stream.parcels import OutcomeParcel
from router.stream.partition import Partition
from router.stream.runtime import Runtime

STUCK_AFTER = 600.0
"""Seconds for one slice, after which /healthz says no: the largest takes minutes on a slow CPU."""

_log = structlog.get_logger("router.decisions")


class RoutingLine(Protocol):
    """``core.line.Line``, or a test's own."""

    def route(self, records: Sequence[InRecord], fetched_at: float) -> list[Outcome]: ...


@dataclass(slots=True)
class Routing:
    """``line`` may be replaced at any time, on the event loop: a slice is routed by the one that it
    began with.

    ``executor`` has one thread: see ``gathering``. While it works for some partitions, others
    publish."""

    line: RoutingLine
    runtime: Runtime
    topics: Topics
    executor: Executor
    _gathering: Gathering = field(init=False)

    def __post_init__(self) -> None:
        self._gathering = Gathering(self.executor, self._route, self.runtime.pace.records)

    async def do(
        self, partition: Partition, records: Sequence[InRecord], fetched_at: float
    ) -> bool:
        """Route, publish and count ``records``. A process that hangs here is not alive.

        False: the partition was being taken away before its turn came, and nothing was done. With
        one thread for the model and many partitions, the slices in line are most of what a stop
        would have to wait for.

        Raises:
            StreamError: they are not published, or not known to be.
        """
        health = self.runtime.health
        part = f"batch of {partition.tp.topic}/{partition.tp.partition}"
        health.beat(part, STUCK_AFTER)
        partition.slice_doing, partition.slice_records = "in line", len(records)
        try:
            return await self._do(partition, records, fetched_at)
        finally:
            partition.slice_records = 0
            health.unwatch(part)

    async def _do(
        self, partition: Partition, records: Sequence[InRecord], fetched_at: float
    ) -> bool:
        routed = await self._gathering.routed(partition, records, fetched_at)
        if routed is None:
            return False
        parcels = [
            OutcomeParcel(record, outcome, self.topics)
            for record, outcome in zip(records, routed.outcomes, strict=True)
        ]
        started = self.runtime.clock.monotonic()
        partition.slice_doing = "publishing"
        await self.runtime.delivery.publish(partition, parcels, records[-1].source.offset + 1)
        seconds = self.runtime.clock.monotonic() - started
        if routed.leads:
            for stage, passed in routed.outcomes[0].timings.items():
                self.runtime.metrics.stage(stage, passed)
        self._count([parcel.outcome for parcel in parcels], partition, seconds)
        return True

    def _route(self, records: Sequence[InRecord], fetched_at: float) -> list[Outcome]:
        """In the executor's thread."""
        began = self.runtime.clock.monotonic()
        outcomes = self.line.route(records, fetched_at)
        self.runtime.pace.took(len(records), self.runtime.clock.monotonic() - began)
        return outcomes

    def _count(
        self, outcomes: Sequence[Outcome], partition: Partition, publish_seconds: float
    ) -> None:
        """Everything at once and only now, so that the counts never tell of what was replayed."""
        metrics = self.runtime.metrics
        metrics.consumed(self.topics.channel(partition.tp.topic), len(outcomes))
        metrics.stage("publish", publish_seconds)
        metrics.published(outcomes, self.runtime.clock.now())
        self._log(outcomes, partition, publish_seconds)

    def _log(
        self, outcomes: Sequence[Outcome], partition: Partition, publish_seconds: float
    ) -> None:
        kinds = [outcome.kind for outcome in outcomes]
        _log.info(
            "routed",
            topic=partition.tp.topic,
            partition=partition.tp.partition,
            first_offset=outcomes[0].source.offset,
            records=len(outcomes),
            routed=kinds.count("routed"),
            review=kinds.count("review"),
            dead_letter=kinds.count("dead_letter"),
            ignored=kinds.count("ignored"),
            infer_seconds=outcomes[0].timings.get("infer", 0.0),
            publish_seconds=round(publish_seconds, 6),
        )
        for outcome in outcomes:
            if outcome.rejected is not None:
                _log.info(
                    "dead letter",
                    source=str(outcome.source),
                    reason=outcome.rejected.reason,
                    field=outcome.rejected.field,
                )
        if _log.is_enabled_for(10):
            for outcome in outcomes:
                self._log_decision(outcome)

    def _log_decision(self, outcome: Outcome) -> None:
        decision = outcome.decision
        if decision is not None:
            _log.debug(
                "decision",
                source=str(outcome.source),
                event_id=decision.event_id,
                conversation_id=decision.conversation_id,
                queue=decision.queue,
                reason=decision.reason,
                intent=decision.intent,
                confidence=decision.confidence,
            )
