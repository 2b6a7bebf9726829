"""What the router needs of a broker, asked of each that it supports: Tansu and Apache Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from router.settings import Settings
from router.stream.admin import open_admin
from router.stream.capabilities import ask_broker
from router.stream.sizes import output_bytes
from router.stream.topic_list import TopicSpec
from tests.conftest import Broker
from tests.kafka import Cluster

PARTITIONS = 4
WITHIN = 60.0


@pytest.fixture
async def topic(broker: Broker, topic_prefix: str) -> str:
    name = f"{topic_prefix}things"
    spec = TopicSpec(name, "chat", PARTITIONS, None, {"max.message.bytes": "3000000"})
    async with open_admin(Settings(broker=broker.bootstrap)) as admin:
        await admin.create([spec])
    return name


@asynccontextmanager
async def producing(broker: Broker, **options: Any) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap, **options)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


@asynccontextmanager
async def consuming(
    broker: Broker, topic: str, group: str | None = None, **options: Any
) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=broker.bootstrap,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        isolation_level="read_committed",
        heartbeat_interval_ms=200,
        session_timeout_ms=6_000,
        **options,
    )
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def take(consumer: AIOKafkaConsumer, count: int) -> list[Any]:
    async with asyncio.timeout(WITHIN):
        return [await consumer.getone() for _ in range(count)]


async def until(true: Callable[[], Awaitable[bool]], what: str) -> None:
    try:
        async with asyncio.timeout(WITHIN):
            while not await true():  # noqa: ASYNC110 - the group is the broker's
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"after {WITHIN:g} s still not: {what}")


async def test_a_record_comes_back_as_it_went_in(broker: Broker, topic: str) -> None:
    headers = [("traceparent", b"00-ab-cd-01"), ("again", b"1"), ("again", b"2")]
    async with producing(broker) as producer, consuming(broker, topic) as consumer:
        await producer.send_and_wait(topic, b"\xff\x00 bytes", key=b"k", headers=headers)
        await producer.send_and_wait(topic, None, key=b"k")
        first, second = await take(consumer, 2)
    assert (first.key, first.value) == (b"k", b"\xff\x00 bytes")
    assert list(first.headers) == headers
    assert second.value is None
    assert second.offset == first.offset + 1
    assert first.timestamp > 1_600_000_000_000, "milliseconds since the epoch"


async def test_a_key_stays_on_its_partition_and_in_order(broker: Broker, topic: str) -> None:
    async with producing(broker, linger_ms=5) as producer, consuming(broker, topic) as consumer:
        sends = [
            await producer.send(topic, b"%d" % n, key=b"key-%d" % (n % 20)) for n in range(1_000)
        ]
        await asyncio.gather(*sends)
        records = await take(consumer, 1_000)
    places: dict[bytes, set[int]] = {}
    values: dict[bytes, list[int]] = {}
    for record in records:
        places.setdefault(record.key, set()).add(record.partition)
        values.setdefault(record.key, []).append(int(record.value))
    assert all(len(one) == 1 for one in places.values())
    assert len(set.union(*places.values())) > 1, "all keys on one partition"
    assert all(one == sorted(one) for one in values.values())
    assert sum(len(one) for one in values.values()) == 1_000


async def test_a_group_shares_partitions_and_hands_them_on(
    broker: Broker, topic: str, group: str
) -> None:
    async with consuming(broker, topic, group) as first:
        everything = set(range(PARTITIONS))

        def held(consumer: AIOKafkaConsumer) -> set[int]:
            return {one.partition for one in consumer.assignment()}

        async def all_held() -> bool:
            return held(first) == everything

        await until(all_held, "one member holds every partition")
        async with consuming(broker, topic, group) as second:

            async def shared() -> bool:
                return len(held(first)) == len(held(second)) == PARTITIONS // 2

            await until(shared, "two members hold half each")
            assert held(first) | held(second) == everything
        await until(all_held, "the one that is left holds every partition again")


async def test_a_group_goes_on_where_it_committed(broker: Broker, topic: str, group: str) -> None:
    place = TopicPartition(topic, 0)
    async with producing(broker) as producer:
        for n in range(10):
            await producer.send_and_wait(topic, b"%d" % n, partition=0)
    async with consuming(broker, topic, group) as consumer:
        assert [one.value for one in await take(consumer, 6)] == [b"%d" % n for n in range(6)]
        await consumer.commit({place: OffsetAndMetadata(6, "")})
        assert await consumer.committed(place) == 6
    async with consuming(broker, topic, group) as consumer:
        assert (await take(consumer, 1))[0].value == b"6"


async def test_a_record_as_large_as_an_output_may_be_passes(broker: Broker, topic: str) -> None:
    largest = output_bytes(1_000_000)
    value = b"x" * (largest - 10_000)
    async with (
        producing(broker, max_request_size=largest) as producer,
        consuming(broker, topic) as consumer,
    ):
        await producer.send_and_wait(topic, value, key=b"k")
        (record,) = await take(consumer, 1)
    assert record.value == value


async def test_the_broker_tells_whether_it_has_idempotent_producers(broker: Broker) -> None:
    settings = Settings(broker=broker.bootstrap)
    can = await ask_broker(settings, ())
    assert can.idempotent == can.transactions == (broker.kind == "kafka")


@pytest.mark.kafka
async def test_an_aborted_transaction_is_never_seen(
    kafka: Cluster, topic_prefix: str, group: str
) -> None:
    broker = Broker("kafka", kafka.bootstrap)
    topic = f"{topic_prefix}things"
    async with open_admin(Settings(broker=broker.bootstrap)) as admin:
        await admin.create([TopicSpec(topic, "chat", 1, None, {})])
    async with producing(broker, transactional_id=group) as producer:
        for value, commit in ((b"aborted", False), (b"committed", True)):
            await producer.begin_transaction()
            await producer.send_and_wait(topic, value)
            await (producer.commit_transaction() if commit else producer.abort_transaction())
    async with consuming(broker, topic) as consumer:
        (record,) = await take(consumer, 1)
    assert record.value == b"committed"
