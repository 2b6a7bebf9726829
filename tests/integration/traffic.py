"""One router's topics on a real Kafka: produce into them, read all that stands on them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from router.core.record import InRecord, Source
from router.policies import open_policy
from router.settings import Settings
from router.stream.admin import open_admin
from router.stream.topic_list import wanted_topics
from tests.events import Emitted

QUEUES = tuple(open_policy("").queues)
_LARGEST = 8_000_000


@dataclass(frozen=True, slots=True)
class Bad:
    """A record that is no event, to be produced to the chat topic; what its dead letter says."""

    name: str
    value: bytes | None
    reason: str
    field: str
    key: bytes | None = b"bad"


class Traffic:
    """Its own prefix and group on one broker; ``environ`` is what a worker needs to join. Every
    method blocks; none needs a running loop."""

    def __init__(self, bootstrap: str, prefix: str, partitions: int = 4) -> None:
        self.settings = Settings(broker=bootstrap, topic_prefix=prefix, group=f"{prefix}workers")
        self.topics = self.settings.topics()
        self.partitions = partitions
        self.environ = {
            "ROUTER_BROKER": bootstrap,
            "ROUTER_TOPIC_PREFIX": prefix,
            "ROUTER_GROUP": self.settings.group,
        }
        self.emitted: list[InRecord] = []
        self._outcomes = Reader(self, (self.topics.decisions, self.topics.dead_letter))

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.topics.outputs(QUEUES)

    def create_topics(self, *, without: str = "") -> None:
        specs = wanted_topics(self.settings, QUEUES, partitions=self.partitions)
        asyncio.run(self._create([one for one in specs if one.name != without]))

    def emit(self, things: Iterable[Emitted | Bad], partition: int | None = None) -> list[InRecord]:
        """Produce in order; the records with the places where they came to stand."""
        made = asyncio.run(self._emit(list(things), partition))
        self.emitted += made
        return made

    def read(self) -> list[ConsumerRecord]:
        """All that stands on the output topics now, each partition in order."""
        return Reader(self, self.outputs).all()

    def outcomes(self) -> set[Source]:
        """The inputs whose decision or dead letter is published."""
        return {source_of(record) for record in self._outcomes.all()}

    def wait_outcomes(self, count: int, within: float, alive: Callable[[], object] = list) -> None:
        """Wait until ``count`` inputs have an outcome; ``alive`` is called at each look.

        Raises:
            AssertionError: the time is up; tells what is missing.
        """
        deadline = time.monotonic() + within
        while len(found := self.outcomes()) < count:
            alive()
            if time.monotonic() > deadline:
                left = [str(r.source) for r in self.emitted if r.source not in found]
                raise AssertionError(f"{len(found)} of {count} after {within:g} s; not {left[:5]}")
            time.sleep(0.05)

    def committed(self) -> dict[TopicPartition, int]:
        """The group's positions, of the partitions where it has one."""
        return asyncio.run(self._committed())

    async def _create(self, specs: Sequence[Any]) -> None:
        async with open_admin(self.settings) as admin:
            await admin.create(specs)

    async def _emit(self, things: list[Emitted | Bad], partition: int | None) -> list[InRecord]:
        producer = AIOKafkaProducer(
            bootstrap_servers=self.settings.broker,
            max_request_size=_LARGEST,
            acks="all",
            linger_ms=2,
        )
        await producer.start()
        try:
            sends = [
                await producer.send(self._topic(one), one.value, key=one.key, partition=partition)
                for one in things
            ]
            places = await asyncio.gather(*sends)
        finally:
            await producer.stop()
        return [
            InRecord(Source(at.topic, at.partition, at.offset), one.key, one.value, (), 0.0)
            for one, at in zip(things, places, strict=True)
        ]

    def _topic(self, thing: Emitted | Bad) -> str:
        email = isinstance(thing, Emitted) and thing.channel == "email"
        return self.topics.email if email else self.topics.chat

    async def _committed(self) -> dict[TopicPartition, int]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.settings.broker)
        await admin.start()
        try:
            found = await admin.list_consumer_group_offsets(self.settings.group)
        finally:
            await admin.close()
        return {place: one.offset for place, one in found.items()}


class Reader:
    """Reads topics as a read-committed consumer, from the start, and remembers."""

    def __init__(self, traffic: Traffic, topics: Sequence[str]) -> None:
        self._broker = traffic.settings.broker
        partitions = range(traffic.partitions)
        self._next = {TopicPartition(topic, p): 0 for topic in topics for p in partitions}
        self._records: list[ConsumerRecord] = []

    def all(self) -> list[ConsumerRecord]:
        """Everything up to now, what was read before first."""
        asyncio.run(self._more())
        return self._records

    async def _more(self) -> None:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._broker,
            isolation_level="read_committed",
            max_partition_fetch_bytes=_LARGEST,
            fetch_max_wait_ms=50,
        )
        await consumer.start()
        try:
            consumer.assign(list(self._next))
            ends = await consumer.end_offsets(list(self._next))
            left = {place for place, at in self._next.items() if at < ends[place]}
            for place in left:
                consumer.seek(place, self._next[place])
            while left:
                for found in (await consumer.getmany(*left, timeout_ms=200)).values():
                    self._records += found
                for place in left:
                    self._next[place] = await consumer.position(place)
                left = {place for place in left if self._next[place] < ends[place]}
        finally:
            await consumer.stop()


def source_of(record: ConsumerRecord) -> Source:
    """The input that an output record came from."""
    headers = dict(record.headers)
    if "router-source-topic" in headers:
        place = (headers[f"router-source-{name}"] for name in ("topic", "partition", "offset"))
        topic, partition, offset = (one.decode() for one in place)
        return Source(topic, int(partition), int(offset))
    source = orjson.loads(record.value)["source"]
    return Source(source["topic"], source["partition"], source["offset"])
