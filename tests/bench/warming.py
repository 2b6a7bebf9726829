"""A broker that has just started compiles its code while it works: warm it before it is measured.

A cold one spends several times the processor time on a transaction that a warm one does, and would
be counted as the cost of exactly once.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from aiokafka import TopicPartition
from aiokafka.structs import OffsetAndMetadata

from router.stream.producers import transactional_producers
from tests.integration.traffic import Traffic

_PRODUCERS = 8


def warm(traffic: Traffic, seconds: float) -> float:
    """Small transactions as fast as they go for ``seconds``; how many a second at the end."""
    return asyncio.run(_warm(traffic, seconds))


async def _warm(traffic: Traffic, seconds: float) -> float:
    make = transactional_producers(traffic.settings)
    producers = [make(f"{traffic.settings.group}/warm/{n}") for n in range(_PRODUCERS)]
    await asyncio.gather(*(producer.start() for producer in producers))
    try:
        await _for(seconds * 0.8, producers, traffic)
        return await _for(seconds * 0.2, producers, traffic)
    finally:
        await asyncio.gather(*(producer.stop() for producer in producers))


async def _for(seconds: float, producers: list[Any], traffic: Traffic) -> float:
    until = time.monotonic() + seconds
    done = await asyncio.gather(
        *(_transactions(producer, n, until, traffic) for n, producer in enumerate(producers))
    )
    return sum(done) / seconds


async def _transactions(producer: Any, number: int, until: float, traffic: Traffic) -> int:
    partition = number % traffic.partitions
    offsets = {TopicPartition(traffic.topics.chat, partition): OffsetAndMetadata(0, "")}
    done = 0
    while time.monotonic() < until:
        await producer.begin_transaction()
        sends = []
        for topic in (traffic.topics.dead_letter, traffic.topics.review):
            batch = producer.create_batch()
            batch.append(timestamp=None, key=None, value=b"v" * 300)
            batch.close()
            sends.append(await producer.send_batch(batch, topic, partition=partition))
        for send in sends:
            await send
        await producer.send_offsets_to_transaction(offsets, f"{traffic.settings.group}-warm")
        await producer.commit_transaction()
        done += 1
    return done
