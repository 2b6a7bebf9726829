"""What the parts of the stream share: the settings, the line's work, and how it all ends."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

import structlog

from router.core.clock import Clock
from router.errors import RouterError, StreamError
from router.ops.health import Health
from router.ops.lag import PartitionLag
from router.ops.metrics import Metrics
from router.settings import Settings
from router.stream.delivery import Delivery
from router.stream.lanes import Lanes
from router.stream.partition import Partition, TopicPartition
from router.stream.slices import Pace

STREAM = "stream"
_SILENT_FOR = 60.0
"""Seconds after which a fetch loop without a turn counts as stuck; it turns every second."""

_log = structlog.get_logger("router.stream")


class Runtime:
    """Lives as long as one run of the stream, on its event loop."""

    delivery: Delivery
    lanes: Lanes

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        metrics: Metrics,
        health: Health,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.metrics = metrics
        self.health = health
        self.pace = Pace(settings.batch_records)
        self.partitions: Mapping[TopicPartition, Partition] = {}
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._joined = False

    def joined(self, partitions: Mapping[TopicPartition, Partition]) -> None:
        """The group is joined and the assignment complete; it may be empty."""
        self.partitions = partitions
        self.metrics.rebalanced()
        self.health.set_ready()
        names = sorted(f"{tp.topic}/{tp.partition}" for tp in partitions)
        _log.info("assigned" if self._joined else "ready", partitions=names)
        self._joined = True

    def rebalancing(self) -> None:
        """The assignment is being taken away."""
        self.health.not_ready("rebalancing")
        self.partitions = {}

    def draining(self) -> None:
        """The process was told to stop."""
        self.health.not_ready("draining")
        self.health.unwatch(STREAM)

    def beat(self) -> None:
        """The fetch loop has made a turn."""
        self.health.beat(STREAM, _SILENT_FOR)

    def empty_within(self, stopping: bool) -> float:
        """Longest wait for the batch in flight, in seconds: on a stop with time left to commit, in
        a rebalance well within its timeout, or the group would go on without us."""
        drain = self.settings.drain_timeout
        return drain * 0.8 if stopping else min(drain, self.settings.session_timeout / 3)

    def fail(self, error: BaseException) -> None:
        """Leave the process with ``error``; the first one counts. Nothing more is done."""
        self.lanes.close()
        if not self.failed.done():
            if not isinstance(error, RouterError):
                failure = StreamError(f"A batch could not be done ({type(error).__name__}).")
                failure.__cause__ = error
                error = failure
            self.failed.set_exception(error)
            self.health.not_ready("failed")

    def lag(self) -> Iterable[PartitionLag]:
        """For the metrics' thread: reads alone."""
        return [
            PartitionLag(tp.topic, tp.partition, partition.behind, partition.behind_since)
            for tp, partition in list(self.partitions.items())
        ]
