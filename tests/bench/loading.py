"""Fills topics with as many events as are asked for, and keeps none of them in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer

from router.ops.logging import quiet_client
from tests.events import Emitted, events
from tests.integration.traffic import Traffic

_BATCH_BYTES = 256_000


class Placed(NamedTuple):
    """A record and where it is to stand."""

    topic: str
    partition: int
    key: bytes
    value: bytes


def some_events() -> list[Emitted]:
    """Chat events to send over and over."""
    return [one for one in events(1_000, seed=1) if one.channel == "chat"]


def fill(traffic: Traffic, count: int) -> None:
    """Produce ``count`` events to the chat topic."""
    asyncio.run(pour(traffic.settings.broker, _events(traffic, count)))


def _events(traffic: Traffic, count: int) -> Iterator[Placed]:
    some = some_events()
    for n in range(count):
        key = n % 997
        value = some[n % len(some)].value
        yield Placed(traffic.topics.chat, key % traffic.partitions, b"%d" % key, value)


async def pour(broker: str, records: Iterable[Placed]) -> None:
    """Produce ``records``; of each partition in order. Just after a topic is made its leaders come
    and go, which the client retries and would warn of."""
    with quiet_client():
        await _pour(broker, records)


async def _pour(broker: str, records: Iterable[Placed]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=broker, max_batch_size=_BATCH_BYTES)
    batches: dict[tuple[str, int], Any] = {}
    sent = []
    await producer.start()
    try:
        for topic, partition, key, value in records:
            batch = batches.get((topic, partition))
            if batch is None:
                batch = batches[topic, partition] = producer.create_batch()
            if batch.append(timestamp=None, key=key, value=value) is None:  # it is full
                sent.append(await producer.send_batch(batch, topic, partition=partition))
                batch = batches[topic, partition] = producer.create_batch()
                batch.append(timestamp=None, key=key, value=value)
        for (topic, partition), batch in batches.items():
            sent.append(await producer.send_batch(batch, topic, partition=partition))
        await asyncio.gather(*sent)
    finally:
        await producer.stop()
