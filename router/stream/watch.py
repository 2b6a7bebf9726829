"""Looks after what would otherwise stop in silence, and keeps the lag moving."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator

import structlog
from aiokafka.errors import KafkaError
from faust.exceptions import ConsumerNotStarted

from router.errors import StreamError, StuckError
from router.stream.app import StreamApp, consumer_of
from router.stream.consumer import BatchConsumer
from router.stream.partition import Partition
from router.stream.runtime import Runtime
from router.stream.watchdog import Doing, Stuck, Waiting, Watchdog

_TURN = 0.5
_LAG_TURNS = 6
_LOST_TURNS = 40

_log = structlog.get_logger("router.stream")


async def watch(app: StreamApp, runtime: Runtime) -> None:
    """Look every half a second, until cancelled.

    Raises:
        StreamError: the app has crashed, the group membership has ended, or a batch got lost
            between the fetch and its task; nothing else would end the process.
        StuckError: records wait, and for too long none was decided.
    """
    consumer = consumer_of(app)
    watchdog = Watchdog(runtime.settings.watchdog, runtime.clock)
    lost: Counter[Partition] = Counter()
    turn, answers = 0, True
    warned = False
    try:
        while True:
            await asyncio.sleep(_TURN)
            turn += 1
            _look(app, consumer)
            _look_for_lost(runtime, lost)
            if turn % _LAG_TURNS == 0:
                answers = await refresh_lag(consumer, runtime)
            stuck = watchdog.look(_waiting(runtime), broker_answers=answers)
            warned = _act(stuck, runtime, warned=warned)
    except StreamError as error:
        runtime.fail(error)  # or the way out would wait for what is stuck
        raise


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


def _waiting(runtime: Runtime) -> Iterator[Waiting]:
    for tp, partition in list(runtime.partitions.items()):
        if not partition.behind:
            continue
        doing: Doing = "in line" if partition.out else "fetching"
        records = 0
        if partition.under_way:
            doing, records = partition.under_way[0].doing, len(partition.under_way[0].records)
        yield Waiting(tp, partition.behind, partition.undone, doing, records)


def _act(stuck: Stuck | None, runtime: Runtime, *, warned: bool) -> bool:
    """Say it once, then leave; gives whether it was said."""
    health = runtime.health
    if stuck is None:
        health.doubt(None)
        if warned:
            _log.info("records are decided again")
        return False
    health.doubt(str(stuck))
    if stuck.for_good:
        health.fail(str(stuck))
        raise StuckError(f"{stuck}.", "Start it again: nothing is lost. ROUTER_WATCHDOG is the "
                         "wait.")  # fmt: skip
    if not warned:
        _log.error("records wait and none is decided", problem=str(stuck))
    return True


async def refresh_lag(consumer: BatchConsumer, runtime: Runtime) -> bool:
    """Ask where the partitions end; a partition that is stuck is not fetched from, and would not
    learn of it. False: the broker did not say."""
    partitions = dict(runtime.partitions)
    if not partitions:
        return True
    try:
        async with asyncio.timeout(_TURN * _LAG_TURNS):
            ends = await consumer.ends(partitions)
    except (KafkaError, TimeoutError, ConsumerNotStarted, RuntimeError) as error:
        _log.debug("lag not known", error=type(error).__name__)
        return False
    for tp, (end, passed) in ends.items():
        partition = partitions[tp]
        partition.end, partition.passed = end, passed
        if partition.behind and partition.behind_since is None:
            partition.behind_since = runtime.clock.now()
        elif not partition.behind and not partition.out:
            partition.behind_since = None
    return True
