"""What stands on the topics of a run, and how far the group is, asked of the brokers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from router.settings import Settings
from router.stream.admin import open_admin
from router.stream.topic_list import wanted_topics
from tests.chaos.check import DEAD_LETTER
from tests.chaos.history import Read, Standing
from tests.chaos.traffic import number_of

_IN_SYNC = "__consumer_offsets", "__transaction_state"


class Stand:
    """The topics of ``settings``. Every method blocks; none needs a running loop."""

    def __init__(self, settings: Settings, queues: Sequence[str], partitions: int) -> None:
        self._settings = settings
        self._queues = queues
        self._partitions = partitions
        self.topics = settings.topics()

    def create(self, replication: int) -> None:
        asyncio.run(self._create(replication))

    def is_done(self) -> bool:
        """Whether the group has committed all that stands on the input."""
        return asyncio.run(_or_false(self._is_done))

    def in_sync(self) -> bool:
        """Whether every partition has a leader and all its replicas in sync."""
        return asyncio.run(_or_false(self._in_sync))

    def undecided(self) -> list[str]:
        """Output partitions where a transaction is still open."""
        return asyncio.run(self._undecided())

    def inputs(self) -> list[Standing]:
        found = asyncio.run(self._all(self.topics.inputs, "read_uncommitted"))
        return [
            Standing(r.topic, r.partition, r.offset, number_of(r.value), r.key.decode())
            for r in found
        ]

    def outputs(self) -> list[Read]:
        """All that a read-committed reader finds."""
        found = asyncio.run(self._all(self._outputs, "read_committed"))
        return [self._read(record) for record in found]

    @property
    def _outputs(self) -> tuple[str, ...]:
        return self.topics.outputs(self._queues)

    def _read(self, record: ConsumerRecord) -> Read:
        place = (record.topic, record.partition, record.offset)
        if record.topic == self.topics.dead_letter:
            headers = {name: value.decode() for name, value in record.headers}
            source = "/".join(
                headers[f"router-source-{part}"] for part in ("topic", "partition", "offset")
            )
            return Read(*place, source, record.key.decode(), "", DEAD_LETTER, "", log=False)
        value = orjson.loads(record.value)
        at = value["source"]
        return Read(
            *place,
            source=f"{at['topic']}/{at['partition']}/{at['offset']}",
            conversation=record.key.decode(),
            decision_id=value["decision_id"],
            queue=value["queue"],
            reason=value["reason"],
            log=record.topic == self.topics.decisions,
        )

    async def _create(self, replication: int) -> None:
        specs = wanted_topics(
            self._settings, self._queues, partitions=self._partitions, replication=replication
        )
        async with open_admin(self._settings) as admin:
            await admin.create(specs)

    async def _is_done(self) -> bool:
        async with _admin(self._settings.broker) as admin:
            found = await admin.list_consumer_group_offsets(self._settings.group)
        committed = {TopicPartition(*tp): one.offset for tp, one in found.items()}
        async with _consumer(self._settings.broker, "read_uncommitted") as consumer:
            ends = await consumer.end_offsets(self._places(self.topics.inputs))
        return all(committed.get(tp, 0) >= end for tp, end in ends.items())

    async def _in_sync(self) -> bool:
        async with _admin(self._settings.broker) as admin:
            topics = await admin.describe_topics()
        ours = {*self.topics.inputs, *self._outputs, *_IN_SYNC}
        return all(
            partition["leader"] >= 0 and set(partition["isr"]) == set(partition["replicas"])
            for topic in topics
            if topic["topic"] in ours
            for partition in topic["partitions"]
        )

    async def _undecided(self) -> list[str]:
        places = self._places(self._outputs)
        ends = []
        for isolation in ("read_committed", "read_uncommitted"):
            async with _consumer(self._settings.broker, isolation) as consumer:
                ends.append(await consumer.end_offsets(places))
        return [f"{tp.topic}/{tp.partition}" for tp in places if ends[0][tp] < ends[1][tp]]

    async def _all(self, topics: Iterable[str], isolation: str) -> list[ConsumerRecord]:
        places = self._places(topics)
        records: list[ConsumerRecord] = []
        async with _consumer(self._settings.broker, isolation) as consumer:
            ends = await consumer.end_offsets(places)
            left = {tp for tp in places if ends[tp]}
            consumer.assign(places)
            await consumer.seek_to_beginning(*places)
            async with asyncio.timeout(300):
                while left:
                    for found in (await consumer.getmany(*left, timeout_ms=500)).values():
                        records += found
                    left = {tp for tp in left if await consumer.position(tp) < ends[tp]}
        return records

    def _places(self, topics: Iterable[str]) -> list[TopicPartition]:
        return [TopicPartition(topic, n) for topic in topics for n in range(self._partitions)]


async def _or_false(ask: Callable[[], Awaitable[bool]]) -> bool:
    """A broker that is away, or does not answer soon, says no."""
    try:
        async with asyncio.timeout(20):
            return await ask()
    except (KafkaError, TimeoutError, OSError):
        return False


@asynccontextmanager
async def _admin(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=10_000)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


@asynccontextmanager
async def _consumer(bootstrap: str, isolation: str) -> AsyncIterator[Any]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        isolation_level=isolation,
        fetch_max_wait_ms=50,
        enable_auto_commit=False,
    )
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()
