"""Fills a topic with as many events as are asked for, and keeps none of them in memory."""

from __future__ import annotations

import asyncio
import logging

from aiokafka import AIOKafkaProducer

from tests.events import Emitted, events
from tests.integration.traffic import Traffic

# Just after a topic is made its leaders come and go, which the client retries and warns of.
logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


def some_events() -> list[Emitted]:
    """Chat events to send over and over."""
    return [one for one in events(1_000, seed=1) if one.channel == "chat"]


def fill(traffic: Traffic, count: int) -> None:
    """Produce ``count`` events to the chat topic."""
    asyncio.run(_fill(traffic, count))


async def _fill(traffic: Traffic, count: int) -> None:
    some = some_events()
    producer = AIOKafkaProducer(
        bootstrap_servers=traffic.settings.broker, linger_ms=20, max_batch_size=256_000
    )
    await producer.start()
    try:
        for n in range(count):
            one = some[n % len(some)]
            await producer.send(traffic.topics.chat, one.value, key=b"%d" % (n % 997))
        await producer.flush()
    finally:
        await producer.stop()
