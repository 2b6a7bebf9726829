"""From the moment a record is sent to the moment a read-committed reader has its decision."""

from __future__ import annotations

import asyncio
import time
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from router.core.record import Source
from tests.bench.loading import some_events
from tests.integration.traffic import Traffic, source_of

_WARM_SECONDS = 3.0
_WITHIN = 60.0


class Latency(NamedTuple):
    """Seconds."""

    p50: float
    p99: float


def latency(traffic: Traffic, rate: float, seconds: float) -> Latency:
    """Send ``rate`` records a second for ``seconds``; the first few of them do not count."""
    return asyncio.run(_latency(traffic, rate, seconds))


async def _latency(traffic: Traffic, rate: float, seconds: float) -> Latency:
    consumer = AIOKafkaConsumer(
        traffic.topics.decisions,
        bootstrap_servers=traffic.settings.broker,
        isolation_level="read_committed",
        fetch_max_wait_ms=50,
    )
    producer = AIOKafkaProducer(bootstrap_servers=traffic.settings.broker)
    await consumer.start()
    await consumer.seek_to_end()  # what was decided in an earlier run is none of this one's
    await producer.start()
    arrived: dict[Source, float] = {}
    count = int(rate * (seconds + _WARM_SECONDS))
    reading = asyncio.ensure_future(_read(consumer, arrived, count))
    try:
        sent = await _send(producer, traffic, rate, count)
        await asyncio.wait_for(reading, _WITHIN)
    finally:
        reading.cancel()
        await producer.stop()
        await consumer.stop()
    counted = list(sent.items())[int(rate * _WARM_SECONDS) :]
    waits = sorted(arrived[source] - at for source, at in counted)
    return Latency(waits[len(waits) // 2], waits[len(waits) * 99 // 100])


async def _send(
    producer: AIOKafkaProducer, traffic: Traffic, rate: float, count: int
) -> dict[Source, float]:
    """When each was to be sent: one that is late for its turn has waited too."""
    some = some_events()
    began = time.monotonic()
    sends = []
    for n in range(count):
        due = began + n / rate
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        one = some[n % len(some)]
        future = await producer.send(traffic.topics.chat, one.value, key=b"%d" % (n % 997))
        sends.append((due, future))
    sent = {}
    for due, future in sends:
        at = await future
        sent[Source(at.topic, at.partition, at.offset)] = due
    return sent


async def _read(consumer: AIOKafkaConsumer, arrived: dict[Source, float], count: int) -> None:
    while len(arrived) < count:
        record = await consumer.getone()
        arrived[source_of(record)] = time.monotonic()
