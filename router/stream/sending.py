"""Records to acknowledged records: one batch for each output partition, wave after wave.

A wave holds at most one batch of a partition, so that a refused batch is never overtaken by what
should come after it, and it is bounded in bytes, so that one produce request is.
"""

from __future__ import annotations

import asyncio
import itertools
import time
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


class Places:
    """Who hands the next batch of an output partition to a producer, in the order of asking.

    aiokafka has one place for each partition. Of several that wait for it any may be next, and one
    that is passed over again and again is given up long before its time (`add_batch` takes what it
    has waited off its limit anew at each turn).
    """

    def __init__(self) -> None:
        self._locks: dict[tuple[str, int], asyncio.Lock] = {}

    def of(self, topic: str, partition: int) -> asyncio.Lock:
        return self._locks.setdefault((topic, partition), asyncio.Lock())


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

    @property
    def whole(self) -> bool:
        """All of it is acknowledged."""
        return not (self.refused or self.broken)


async def send(
    producer: SendingProducer,
    records: Sequence[OutRecord],
    places: Sequence[int],
    alone: set[int],
    limit: float,
    *,
    shared: Places,
) -> Sent:
    """Publish ``records[place]`` for each of ``places`` in order; ``alone`` go one in a batch.
    ``shared`` is the same for all that send by ``producer``.

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
        waiting = [queue for queue in waiting if not queue.empty]
        left = max(0.0, deadline - time.monotonic())
        results = await _publish(producer, wave, left, limit, shared)
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


@dataclass(slots=True)
class _Queue:
    """What is to go to one output partition, in order; ``at`` is the next place."""

    topic: str
    partition: int
    places: list[int] = field(default_factory=list)
    at: int = 0

    @property
    def empty(self) -> bool:
        return self.at == len(self.places)


_Wave = list[tuple[_Queue, Any, list[int]]]


async def _by_partition(
    producer: SendingProducer, records: Sequence[OutRecord], places: Sequence[int]
) -> list[_Queue]:
    topics: dict[str, tuple[list[_Queue], _Queue]] = {}
    for place in places:
        record = records[place]
        known = topics.get(record.topic)
        if known is None:
            partitions = sorted(await producer.partitions_for(record.topic))
            queues = [_Queue(record.topic, partition) for partition in partitions]
            known = topics[record.topic] = queues, queues[next(_rotation) % len(queues)]
        queues, keyless = known
        key = record.key
        queue = keyless if key is None else queues[_place(key) % len(queues)]
        queue.places.append(place)
    return [queue for queues, _ in topics.values() for queue in queues if queue.places]


def _wave(
    producer: SendingProducer,
    records: Sequence[OutRecord],
    waiting: Sequence[_Queue],
    alone: set[int],
) -> _Wave:
    wave: _Wave = []
    room = WAVE_BYTES
    for queue in waiting:
        if room <= 0:
            break
        batch, members = _fill(producer, records, queue, alone, room)
        room -= batch.size()
        wave.append((queue, batch, members))
    return wave


def _fill(
    producer: SendingProducer,
    records: Sequence[OutRecord],
    queue: _Queue,
    alone: set[int],
    room: int,
) -> tuple[Any, list[int]]:
    """A batch of at least one record; as long as there is ``room``, and no further."""
    batch = producer.create_batch()
    start = end = queue.at
    for place in queue.places[start:]:
        record = records[place]
        key, value, headers = record.key, record.value, record.headers
        # About: of headers only their number counts.
        room -= len(key or b"") + len(value or b"") + _HEADER_BYTES * (1 + len(headers))
        if end > start and (room < 0 or place in alone):
            break
        if batch.append(timestamp=None, key=key, value=value, headers=list(headers)) is None:
            break
        end += 1
        if place in alone:
            break
    queue.at = end
    batch.close()
    return batch, queue.places[start:end]


async def _publish(
    producer: SendingProducer, wave: _Wave, left: float, limit: float, shared: Places
) -> list[BaseException | None]:
    """The result of each batch of the wave: None where it is acknowledged."""
    deadline = asyncio.get_running_loop().time() + left
    sends: list[asyncio.Future[Any]] = []
    results: list[BaseException | None] = []
    try:
        async with asyncio.timeout_at(deadline):
            for queue, batch, _ in wave:
                async with shared.of(queue.topic, queue.partition):
                    sends.append(await _sent(producer, queue, batch))
            for send in sends:
                results.append(await _result(send))  # noqa: PERF401 - as far as it gets in time
    except TimeoutError:
        raise _too_late(limit) from None
    finally:
        for send in sends[len(results) :]:
            send.add_done_callback(_look_at)
    return results


async def _sent(producer: SendingProducer, queue: _Queue, batch: Any) -> asyncio.Future[Any]:
    """The batch on its way; a task for each would cost as much as the sending. Waits where another
    slice's batch of the same partition has not gone yet."""
    try:
        sent = await producer.send_batch(batch, queue.topic, partition=queue.partition)
    except KafkaError as error:
        failed: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        failed.set_exception(error)
        return failed
    return asyncio.ensure_future(sent)


async def _result(send: asyncio.Future[Any]) -> BaseException | None:
    if not send.done():
        await asyncio.wait([send])
    return ProducerClosed() if send.cancelled() else send.exception()


def _look_at(send: asyncio.Future[Any]) -> None:
    """Nobody waits for it any more, and the loop would complain of its error."""
    if not send.cancelled():
        send.exception()


def _too_late(limit: float) -> StreamError:
    return StreamError(
        f"The broker did not acknowledge a batch within {limit:g} s.",
        "Nothing of it was committed; it is routed again after a restart.",
    )
