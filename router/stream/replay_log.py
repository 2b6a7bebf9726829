"""Part of a topic, from here to there, read outside any group: nothing is committed.

Read committed, so that what a transaction took back is not seen; a batch at a time, so that
memory does not grow with the part.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from router.core.record import InRecord, Source
from router.errors import BrokerError
from router.settings import Settings
from router.stream.admin import open_admin
from router.stream.header_names import read_any_header_name
from router.stream.records import plain, read_plain_records
from router.stream.refusals import denied
from router.stream.security import client_options
from router.stream.sizes import output_bytes

Place = tuple[str, int]
"""Topic and partition."""

Range = tuple[int, int]
"""Offsets: the first, and the one after the last."""

Progress = Callable[[str, int], None]
"""Called with what is being done and how many records more of it are done."""

_BATCH = 200
_POLL_MS = 200


class Log:
    """One reader; it reads one part at a time."""

    def __init__(self, consumer: Any, settings: Settings) -> None:
        self._consumer = consumer
        self._seconds = settings.request_timeout

    async def ranges(self, partitions: Mapping[str, int]) -> dict[Place, Range]:
        """What each partition of these topics holds now; ``partitions`` has their numbers."""
        every = _every(partitions)
        with _trouble():
            begins = await self._consumer.beginning_offsets(every)
            ends = await self._consumer.end_offsets(every)
        return {tuple(tp): (begins[tp], max(begins[tp], ends[tp])) for tp in every}

    async def between(
        self, partitions: Mapping[str, int], first: float, last: float | None
    ) -> dict[Place, Range]:
        """The records from broker time ``first`` to before ``last``, seconds since the epoch. Where
        times do not grow with offsets: from the first that is not earlier than ``first`` to the
        first that is not earlier than ``last``. None is no end."""
        held = await self.ranges(partitions)
        begins = await self._at(partitions, first)
        ends = {} if last is None else await self._at(partitions, last)
        found = {}
        for place, (begin, end) in held.items():
            start = min(end, max(begin, begins.get(place, end)))
            found[place] = (start, max(start, min(end, ends.get(place, end))))
        return found

    async def _at(self, partitions: Mapping[str, int], seconds: float) -> dict[Place, int]:
        # Brokers count whole milliseconds; a float of them may lie a little below its own.
        first = max(0, math.ceil(round(seconds * 1000, 2)))
        asked = dict.fromkeys(_every(partitions), first)
        with _trouble():
            found = await self._consumer.offsets_for_times(asked)
        return {tuple(tp): one.offset for tp, one in found.items() if one and one.offset >= 0}

    async def read(self, place: Place, part: Range) -> AsyncGenerator[list[InRecord], None]:
        """The records of ``part`` in order, a batch at a time.

        Raises:
            BrokerError: they expired meanwhile, or the broker gives nothing for too long.
        """
        tp = TopicPartition(*place)
        first, end = part
        if first >= end:
            return
        consumer = self._consumer
        consumer.assign([tp])
        consumer.seek(tp, first)
        position, patience = first, time.monotonic() + self._seconds
        while position < end:
            with _trouble():
                found = await consumer.getmany(tp, timeout_ms=_POLL_MS, max_records=_BATCH)
                now = await consumer.position(tp)
            records = [one for one in found.get(tp, ()) if one.source.offset < end]
            if records:
                yield records
            # What comes without records moves on as well: the marks that end a transaction.
            if now > position or records:
                position, patience = now, time.monotonic() + self._seconds
            elif time.monotonic() > patience:
                raise BrokerError(
                    f"The broker gave nothing of {place[0]}/{place[1]} for {self._seconds:g} s.",
                    "See whether it runs; ROUTER_REQUEST_TIMEOUT is the wait.",
                )

    async def one(self, source: Source, partitions: Mapping[str, int]) -> InRecord | None:
        """The record at ``source``; None where it is no more, or never was."""
        place = (source.topic, source.partition)
        if source.partition >= partitions.get(source.topic, 0):
            return None
        held = await self.ranges({source.topic: partitions[source.topic]})
        if not held[place][0] <= source.offset < held[place][1]:
            return None
        async for records in self.read(place, (source.offset, source.offset + 1)):
            return records[0]
        return None


@asynccontextmanager
async def open_log(settings: Settings, *, committed: bool = True) -> AsyncIterator[Log]:
    """A reader for as long as the block lasts; not ``committed`` sees what is in the air as well.

    Raises:
        BrokerError: the broker cannot be reached.
    """
    read_any_header_name()
    read_plain_records()
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.broker,
        client_id="router-replay",
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed" if committed else "read_uncommitted",
        max_partition_fetch_bytes=output_bytes(settings.max_event_bytes),
        fetch_max_wait_ms=_POLL_MS,
        value_deserializer=plain,
        request_timeout_ms=int(settings.request_timeout * 1000),
        **client_options(settings),
    )
    try:
        try:
            async with asyncio.timeout(settings.request_timeout):
                await consumer.start()
        except (KafkaError, OSError, TimeoutError) as error:
            raise BrokerError(
                f"No broker answers at {settings.broker}.",
                "See whether it runs; `router doctor` checks the settings that name it.",
            ) from error
        yield Log(consumer, settings)
    finally:
        # A client whose task has not had its first turn yet stops with that task's cancellation.
        await asyncio.sleep(0)
        await consumer.stop()


async def partitions_of(settings: Settings, topics: Iterable[str]) -> dict[str, int]:
    """How many partitions each of ``topics`` has; one that does not exist is left out.

    Raises:
        BrokerError: the broker cannot be reached.
    """
    async with open_admin(settings) as admin:
        return {name: state.partitions for name, state in (await admin.describe(topics)).items()}


def require(partitions: Mapping[str, int], topics: Iterable[str]) -> None:
    """See that each of ``topics`` is there.

    Raises:
        BrokerError: one is not; names it.
    """
    if missing := [topic for topic in topics if topic not in partitions]:
        raise BrokerError(
            f"The broker has no topic {', '.join(missing)}, or does not let us see it.",
            "Make them with `router topics create`, or correct ROUTER_TOPIC_PREFIX. If they are "
            "there, the user lacks a right on them: deploy/acls.md.",
        )


def _every(partitions: Mapping[str, int]) -> list[TopicPartition]:
    return [TopicPartition(topic, n) for topic, count in partitions.items() for n in range(count)]


@contextmanager
def _trouble() -> Iterator[None]:
    try:
        yield
    except KafkaError as error:
        if (refused := denied(error, "READ")) is not None:
            raise refused from error
        raise BrokerError(
            f"The topic cannot be read: {type(error).__name__}.",
            "See the broker's log, and whether it runs.",
        ) from error
