"""``python -m tests.bench.bare``: what the guarantees cost without a router around them.

Each input record becomes two output records, as a routed one does; nothing is read or decided.
`ROUTER_DELIVERY` says how: an idempotent producer and offsets committed once a second, or one
transactional producer a partition, with what was fetched of it and its offset in one transaction.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from typing import Any

import aiokafka.producer.sender
import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from router.settings import Settings, load_settings
from router.stream.producers import new_producer, transactional_producers

_PADDING = "v" * 1200
"""Makes an output record about as long as a decision."""
_COMMIT_SECONDS = 1.0

# As the router has it: else a bare loop would be the slower one at small transactions.
aiokafka.producer.sender.BACKOFF_OVERRIDE = 0.001


async def _run(settings: Settings) -> None:
    topic = settings.topics().chat
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=settings.broker,
        group_id=settings.group,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    while not consumer.assignment():  # noqa: ASYNC110 - aiokafka has no event for it
        await asyncio.sleep(0.05)
    producers = await _producers(settings, list(consumer.assignment()))
    exactly_once = settings.delivery == "exactly-once"
    if not exactly_once:
        asyncio.get_running_loop().create_task(_commit(consumer))
    sys.stdout.write('{"event": "ready"}\n')
    sys.stdout.flush()
    while True:
        fetched = await consumer.getmany(timeout_ms=1000)
        await asyncio.gather(
            *(
                _pass_on(producers[tp], records, settings, settings.group if exactly_once else "")
                for tp, records in fetched.items()
            )
        )


async def _producers(
    settings: Settings, partitions: Sequence[TopicPartition]
) -> dict[TopicPartition, Any]:
    if settings.delivery == "exactly-once":
        make = transactional_producers(settings)
        each = {tp: make(f"{settings.group}/bare/{tp.partition}") for tp in partitions}
        await asyncio.gather(*(producer.start() for producer in each.values()))
        return each
    producer = new_producer(settings, enable_idempotence=True)
    await producer.start()
    return dict.fromkeys(partitions, producer)


async def _pass_on(
    producer: Any, records: Sequence[ConsumerRecord], settings: Settings, group: str
) -> None:
    """``group`` where it is to be done in a transaction."""
    if group:
        await producer.begin_transaction()
    topics = settings.topics()
    sends = []
    for topic in (topics.decisions, topics.review):
        batch = producer.create_batch()
        for record in records:
            batch.append(timestamp=None, key=record.key, value=_value(record))
        batch.close()
        sends.append(await producer.send_batch(batch, topic, partition=records[0].partition))
    for send in sends:
        await send
    if group:
        tp = TopicPartition(records[0].topic, records[0].partition)
        next_offset = OffsetAndMetadata(records[-1].offset + 1, "")
        await producer.send_offsets_to_transaction({tp: next_offset}, group)
        await producer.commit_transaction()


def _value(record: ConsumerRecord) -> bytes:
    source = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
    return orjson.dumps({"source": source, "padding": _PADDING})


async def _commit(consumer: AIOKafkaConsumer) -> None:
    while True:
        await asyncio.sleep(_COMMIT_SECONDS)
        await consumer.commit()


if __name__ == "__main__":
    asyncio.run(_run(load_settings(os.environ)))
