"""From the moment a record is due to the moment a read-committed reader has what came of it.

An open loop: the schedule does not wait for answers, and a record that is sent late for its turn
has waited too (no coordinated omission).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord

from router.core.record import Source
from tests.bench.figures import Latency, latencies
from tests.bench.loading import some_events
from tests.bench.schedule import steady
from tests.integration.traffic import Traffic, source_of

WARM_SECONDS = 3.0
"""What is due before does not count."""
_WITHIN = 60.0


class Input(NamedTuple):
    """One record to send; its partition follows from the key."""

    topic: str
    key: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class Way:
    """Where records go in and come out. ``record`` is the one of a number; ``sent`` and ``got``
    give the same name to a record that was sent (its number, what the broker said of it) and to
    what came of it."""

    broker: str
    output: str
    record: Callable[[int], Input]
    sent: Callable[[int, Any], Hashable]
    got: Callable[[ConsumerRecord], Hashable]


def latency(traffic: Traffic, rate: float, seconds: float) -> Latency:
    """Of a router's decisions, at ``rate`` events a second, evenly, for ``seconds``."""
    some = some_events()

    def record(number: int) -> Input:
        return Input(traffic.topics.chat, b"%d" % (number % 997), some[number % len(some)].value)

    way = Way(
        traffic.settings.broker,
        traffic.topics.decisions,
        record,
        lambda _, at: Source(at.topic, at.partition, at.offset),
        source_of,
    )
    return open_loop(way, steady(rate, int(rate * (seconds + WARM_SECONDS))))


def open_loop(way: Way, due: Sequence[float]) -> Latency:
    """Send a record at each of ``due`` (seconds from the beginning), once a first one, which does
    not count, has come out.

    Raises:
        TimeoutError: not all came out within a minute of the last.
    """
    return latencies(asyncio.run(waits(way, due)))


async def waits(way: Way, due: Sequence[float]) -> list[float]:
    """See `open_loop`: of each record that counts, in seconds."""
    consumer = AIOKafkaConsumer(
        way.output,
        bootstrap_servers=way.broker,
        isolation_level="read_committed",
        fetch_max_wait_ms=50,
    )
    producer = AIOKafkaProducer(bootstrap_servers=way.broker)
    await consumer.start()
    await consumer.seek_to_end()  # what was decided in an earlier run is none of this one's
    await producer.start()
    arrived: dict[Hashable, float] = {}
    try:
        await send(producer, way, [0.0], len(due))
        await asyncio.wait_for(_read(consumer, way, arrived, 1), _WITHIN)
        reading = asyncio.ensure_future(_read(consumer, way, arrived, len(due) + 1))
        try:
            sent = await send(producer, way, due)
            await asyncio.wait_for(reading, _WITHIN)
        finally:
            reading.cancel()
    finally:
        await producer.stop()
        await consumer.stop()
    return [arrived[name] - at for name, at, offset in sent if offset >= WARM_SECONDS]


async def send(
    producer: Any, way: Way, due: Sequence[float], first: int = 0
) -> list[tuple[Hashable, float, float]]:
    """Each one's name, when it was to be sent, and how long after the beginning that was."""
    began = time.monotonic()
    sends = []
    for number, offset in enumerate(due, first):
        await asyncio.sleep(max(0.0, began + offset - time.monotonic()))
        topic, key, value = way.record(number)
        sends.append((number, offset, await producer.send(topic, value, key=key)))
    return [
        (way.sent(number, await future), began + offset, offset) for number, offset, future in sends
    ]


async def _read(
    consumer: AIOKafkaConsumer, way: Way, arrived: dict[Hashable, float], count: int
) -> None:
    while len(arrived) < count:
        record = await consumer.getone()
        arrived[way.got(record)] = time.monotonic()
