"""Records to acknowledged records: one batch for each output partition, wave after wave.

A wave holds at most one batch of a partition, so that a refused batch is never overtaken by what
should come after it, and it is bounded in bytes, so that one produce request is.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol

from aiokafka.errors import (
    KafkaError,
    MessageSizeTooLargeError,
    OutOfOrderSequenceNumber,
    ProducerClosed,
    RecordListTooLargeError,
)
from aiokafka.partitioner import murmur2

from router.core.record import OutRecord
from router.errors import StreamError

WAVE_BYTES = 16 * 1024 * 1024
"""Of all batches sent side by side, unless a single record is larger."""

_TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)
_BROKEN = (OutOfOrderSequenceNumber, ProducerClosed)
"""Another partition's refused batch broke the producer, or had it replaced."""

_HEADER_BYTES = 64
_rotation = itertools.count()


class SendingProducer(Protocol):
    """What is needed of ``AIOKafkaProducer``."""

    def create_batch(self) -> Any: ...

    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> Awaitable[Any]: ...

    async def partitions_for(self, topic: str) -> set[int]: ...


@dataclass(slots=True)
class Sent:
    """Places in the list that was to be sent. ``refused`` are batches too large for their topic;
    after one nothing more was sent, and ``broken`` means that the producer is of no more use."""

    delivered: set[int] = field(default_factory=set)
    refused: list[list[int]] = field(default_factory=list)
    broken: bool = False


async def send(
    producer: SendingProducer,
    records: Sequence[OutRecord],
    places: Sequence[int],
    alone: set[int],
    limit: float,
) -> Sent:
    """Publish ``records[place]`` for each of ``places`` in order; ``alone`` go one in a batch.

    Raises:
        StreamError: a batch failed for good, or was not acknowledged within ``limit`` seconds.
    """
    sent = Sent()
    deadline = time.monotonic() + limit
    try:
        async with asyncio.timeout_at(asyncio.get_running_loop().time() + limit):
            waiting = await _by_partition(producer, records, places)
    except TimeoutError:
        raise _too_late(limit) from None
    while waiting and not sent.refused and not sent.broken:
        wave = _wave(producer, records, waiting, alone)
        results = await _publish(producer, wave, max(0.0, deadline - time.monotonic()), limit)
        for (_, _, members), result in zip(wave, results, strict=True):
            _note(sent, members, result)
    return sent


def _note(sent: Sent, members: list[int], result: BaseException | None) -> None:
    if result is None:
        sent.delivered.update(members)
    elif isinstance(result, _TOO_LARGE):
        sent.refused.append(members)
    elif isinstance(result, _BROKEN):
        sent.broken = True
    elif isinstance(result, KafkaError):
        raise StreamError(
            f"The broker did not take a batch: {type(result).__name__}.",
            "Nothing of it was committed; it is routed again after a restart.",
        ) from result
    else:
        raise result


@lru_cache(maxsize=4096)
def _place(key: bytes) -> int:
    """Java's choice, and so any other client's: a conversation stays together whoever writes."""
    return int(murmur2(key)) & 0x7FFFFFFF


_Waiting = dict[tuple[str, int], deque[int]]
_Wave = list[tuple[tuple[str, int], Any, list[int]]]


async def _by_partition(
    producer: SendingProducer, records: Sequence[OutRecord], places: Sequence[int]
) -> _Waiting:
    partitions: dict[str, list[int]] = {}
    keyless: dict[str, int] = {}
    waiting: _Waiting = defaultdict(deque)
    for place in places:
        record = records[place]
        known = partitions.get(record.topic)
        if known is None:
            known = sorted(await producer.partitions_for(record.topic))
            partitions[record.topic] = known
            keyless[record.topic] = known[next(_rotation) % len(known)]
        if record.key is None:
            partition = keyless[record.topic]
        else:
            partition = known[_place(record.key) % len(known)]
        waiting[record.topic, partition].append(place)
    return waiting


def _wave(
    producer: SendingProducer, records: Sequence[OutRecord], waiting: _Waiting, alone: set[int]
) -> _Wave:
    wave: _Wave = []
    room = WAVE_BYTES
    for target in list(waiting):
        if room <= 0:
            break
        members, batch, room = _fill(producer, records, waiting[target], alone, room)
        if not members:
            continue
        wave.append((target, batch, members))
        if not waiting[target]:
            del waiting[target]
    return wave


def _fill(
    producer: SendingProducer,
    records: Sequence[OutRecord],
    queue: deque[int],
    alone: set[int],
    room: int,
) -> tuple[list[int], Any, int]:
    batch = producer.create_batch()
    members: list[int] = []
    while queue:
        record = records[queue[0]]
        by_itself = queue[0] in alone
        size = _size(record)
        if members and (by_itself or size > room):
            break
        taken = batch.append(
            timestamp=None, key=record.key, value=record.value, headers=list(record.headers)
        )
        if taken is None:
            break
        members.append(queue.popleft())
        room -= size
        if by_itself:
            break
    batch.close()
    return members, batch, room


def _size(record: OutRecord) -> int:
    headers = sum(len(name) + len(value or b"") for name, value in record.headers)
    return len(record.key or b"") + len(record.value or b"") + headers + _HEADER_BYTES


async def _publish(
    producer: SendingProducer, wave: _Wave, left: float, limit: float
) -> list[BaseException | None]:
    """The result of each batch of the wave: None where it is acknowledged."""

    async def one(topic: str, partition: int, batch: Any) -> None:
        await (await producer.send_batch(batch, topic, partition=partition))

    tasks = [
        asyncio.ensure_future(one(topic, partition, batch)) for (topic, partition), batch, _ in wave
    ]
    try:
        _, late = await asyncio.wait(tasks, timeout=left)
    except asyncio.CancelledError:
        for task in tasks:
            task.cancel()
        raise
    for task in late:
        task.cancel()
    if late:
        raise _too_late(limit)
    return [task.exception() for task in tasks]


def _too_late(limit: float) -> StreamError:
    return StreamError(
        f"The broker did not acknowledge a batch within {limit:g} s.",
        "Nothing of it was committed; it is routed again after a restart.",
    )
