"""Looks after what would otherwise stop in silence, and keeps the lag moving."""

from __future__ import annotations

import asyncio
from collections import Counter

import structlog
from aiokafka.errors import KafkaError
from faust.exceptions import ConsumerNotStarted

from router.errors import StreamError
from router.stream.app import StreamApp, consumer_of
from router.stream.consumer import BatchConsumer
from router.stream.partition import Partition
from router.stream.runtime import Runtime

_TURN = 0.5
_LAG_TURNS = 6
_LOST_TURNS = 40

_log = structlog.get_logger("router.stream")


async def watch(app: StreamApp, runtime: Runtime) -> None:
    """Look every half a second, until cancelled.

    Raises:
        StreamError: the app has crashed, the group membership has ended, or a batch got lost
            between the fetch and its task; nothing else would end the process.
    """
    consumer = consumer_of(app)
    lost: Counter[Partition] = Counter()
    turn = 0
    while True:
        await asyncio.sleep(_TURN)
        turn += 1
        _look(app, consumer)
        _look_for_lost(runtime, lost)
        if turn % _LAG_TURNS == 0:
            await refresh_lag(consumer, runtime)


def _look(app: StreamApp, consumer: BatchConsumer) -> None:
    if app.crashed:
        raise StreamError("The stream has crashed.") from app.crash_reason
    try:
        consumer.check()
    except KafkaError as error:
        raise StreamError(f"The group cannot be kept: {type(error).__name__}.") from error


def _look_for_lost(runtime: Runtime, lost: Counter[Partition]) -> None:
    for partition in list(runtime.partitions.values()):
        if not partition.out or partition.closing or runtime.lanes.busy(partition):
            lost.pop(partition, None)
            continue
        lost[partition] += 1
        if lost[partition] > _LOST_TURNS:
            raise StreamError(f"A batch of {partition.tp.topic} was fetched and not handled.")


async def refresh_lag(consumer: BatchConsumer, runtime: Runtime) -> None:
    """Ask where the partitions end; a partition that is stuck is not fetched from, and would not
    learn of it."""
    partitions = dict(runtime.partitions)
    if not partitions:
        return
    try:
        async with asyncio.timeout(_TURN * _LAG_TURNS):
            ends = await consumer.ends(partitions)
    except (KafkaError, TimeoutError, ConsumerNotStarted, RuntimeError) as error:
        _log.debug("lag not known", error=type(error).__name__)
        return
    for tp, (end, passed) in ends.items():
        partition = partitions[tp]
        partition.end, partition.passed = end, passed
        if partition.behind and partition.behind_since is None:
            partition.behind_since = runtime.clock.now()
        elif not partition.behind and not partition.out:
            partition.behind_since = None
