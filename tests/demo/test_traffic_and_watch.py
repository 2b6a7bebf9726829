"""Traffic in, outcomes out, on the embedded broker with a worker's stand-in."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.structs import ConsumerRecord

from router.core.topics import Topics
from router.demo.broken import Broken
from router.demo.broker import EmbeddedBroker
from router.demo.corpus import conversations
from router.demo.ledger import Ledger
from router.demo.schedule import plan
from router.demo.traffic import emit
from router.demo.watch import Watch

pytestmark = pytest.mark.tansu

TOPICS = Topics()
QUEUES = ("fraud",)


async def _create(address: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        names = (*TOPICS.inputs, *TOPICS.outputs(QUEUES))
        await admin.create_topics(
            [NewTopic(name, num_partitions=2, replication_factor=1) for name in names]
        )
    finally:
        await admin.close()


async def test_every_emitted_record_is_matched_with_its_outcome() -> None:
    broken = [Broken("chat", "not_json", b"{"), Broken("email", "null_value", None)]
    planned = plan(conversations(), broken, events=250, seconds=1.0, seed=3)
    ledger = Ledger()
    with EmbeddedBroker() as broker:
        client = {"bootstrap_servers": broker.address}
        await _create(broker.address)
        watch = Watch(ledger, TOPICS, QUEUES, client)
        await watch.start()
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(watch.run()),
                tasks.create_task(_stand_in(TOPICS, client)),
            ]
            await emit(planned, TOPICS, ledger, client, max_event_bytes=1_000_000)
            deadline = time.monotonic() + 20
            while ledger.missing() and time.monotonic() < deadline:  # noqa: ASYNC110 - a poll
                await asyncio.sleep(0.02)
            for task in running:
                task.cancel()
        await watch.stop()
    assert ledger.missing() == []
    assert ledger.problems == []
    assert ledger.emitted == ledger.decided == sum(ledger.kinds().values()) == 250
    assert all(count > 0 for count in ledger.kinds().values())
    latency = ledger.latency()
    assert latency is not None
    assert 0 < latency.p50 <= latency.p95 <= latency.p99 < 20


async def _stand_in(topics: Topics, client: Mapping[str, Any]) -> None:
    """Decide everything from the inputs' beginnings until cancelled."""
    consumer = AIOKafkaConsumer(
        *topics.inputs, **client, auto_offset_reset="earliest", fetch_max_wait_ms=50
    )
    producer = AIOKafkaProducer(**client)
    await consumer.start()
    await producer.start()
    try:
        while True:
            fetched = await consumer.getmany(timeout_ms=50)
            for records in fetched.values():
                for record in records:
                    await _decide(topics, record, producer)
    except asyncio.CancelledError:
        pass
    finally:
        await consumer.stop()
        await producer.stop()


async def _decide(topics: Topics, record: ConsumerRecord, producer: AIOKafkaProducer) -> None:
    source = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
    try:
        event = json.loads(record.value)
        event_id, author = event["event_id"], event.get("author", "customer")
    except (TypeError, ValueError, KeyError):
        headers = [(f"router-source-{name}", str(value).encode()) for name, value in source.items()]
        headers.append(("router-reason", b"not_json"))
        await producer.send_and_wait(topics.dead_letter, b"", headers=headers)
        return
    queue, confidence = ("fraud", 0.9) if "card" in str(event) else ("router.review", None)
    if author != "customer":
        queue, confidence = "router.ignored", None
    decision = {
        "event_id": event_id,
        "queue": queue,
        "reason": "intent" if confidence else "language",
        "confidence": confidence,
        "source": source,
    }
    if queue != "router.ignored":
        copy = json.dumps(decision | {"message": event}).encode()
        await producer.send_and_wait(topics.of_queue(queue), copy)
    await producer.send_and_wait(topics.decisions, json.dumps(decision).encode())
