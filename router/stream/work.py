"""A slice's way: routed in a thread, published, then counted and logged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from router.core.line import Outcome
from router.core.record import InRecord
from router.core.topics import Topics
from router.stream.gathering import Gathering, Turn
from router.stream.parcels import RoutedSlice
from router.stream.partition import Slice
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
        runtime = self.runtime
        self._gathering = Gathering(
            self.executor,
            self._route,
            self._publish,
            runtime.pace.records,
            together=runtime.delivery.together,
        )

    async def do(self, one: Slice) -> bool:
        """Route, publish and count ``one``. A process that hangs here is not alive.

        False: the partition was being taken away before its turn came, and nothing was done. With
        one thread for the model and many partitions, the slices in line are most of what a stop
        would have to wait for.

        Raises:
            StreamError: it is not published, or not known to be.
        """
        health, partition = self.runtime.health, one.partition
        part = f"batch of {partition.tp.topic}/{partition.tp.partition}"
        health.beat(part, STUCK_AFTER)
        try:
            done = await self._gathering.do(one)
        except BaseException:
            health.unwatch(part)
            raise
        if len(partition.under_way) > 1:
            health.beat(part, STUCK_AFTER)
        else:
            health.unwatch(part)
        return done

    def _route(self, records: Sequence[InRecord], fetched_at: float) -> list[Outcome]:
        """In the executor's thread."""
        began = self.runtime.clock.monotonic()
        outcomes = self.line.route(records, fetched_at)
        self.runtime.pace.took(len(records), self.runtime.clock.monotonic() - began)
        return outcomes

    async def _publish(self, turns: Sequence[Turn]) -> None:
        slices = [
            RoutedSlice(turn.one.partition, turn.one.records, turn.outcomes, self.topics)
            for turn in turns
        ]
        for turn in turns:
            turn.one.doing = "publishing"
        started = self.runtime.clock.monotonic()
        await self.runtime.delivery.publish(slices)
        seconds = self.runtime.clock.monotonic() - started
        timings = turns[0].outcomes[0].timings
        if turns[0].leads:
            for stage, passed in timings.items():
                self.runtime.metrics.stage(stage, passed)
        self._count(slices, timings.get("infer", 0.0), seconds)

    def _count(
        self, slices: Sequence[RoutedSlice], infer_seconds: float, publish_seconds: float
    ) -> None:
        """Everything at once and only now, so that the counts never tell of what was replayed."""
        metrics = self.runtime.metrics
        outcomes = [outcome for one in slices for outcome in one.outcomes]
        metrics.stage("publish", publish_seconds)
        metrics.published(outcomes, self.runtime.clock.now())
        kinds = Counter([outcome.kind for outcome in outcomes])
        _log.info(
            "routed",
            slices=[one.name for one in slices],
            records=len(outcomes),
            routed=kinds["routed"],
            review=kinds["review"],
            dead_letter=kinds["dead_letter"],
            ignored=kinds["ignored"],
            infer_seconds=infer_seconds,
            publish_seconds=round(publish_seconds, 6),
        )
        for outcome in outcomes if kinds["dead_letter"] else ():
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
