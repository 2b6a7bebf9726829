"""Reads every output topic as the queues' consumers would, and enters what it finds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import ConsumerRecord

from router.core.record import Source
from router.core.topics import DEAD_LETTER, REVIEW, Topics
from router.demo.ledger import Ledger, Seen
from router.demo.parting import part
from router.errors import BrokerError

_FETCH_WAIT_MS = 100
_START_WITHIN = 20.0
_POLL = 0.05


class Watch:
    """Follows the output topics of ``topics`` from their ends as they stand at `start`."""

    def __init__(
        self, ledger: Ledger, topics: Topics, queues: Iterable[str], client: Mapping[str, Any]
    ) -> None:
        """``client`` is how aiokafka is to reach the broker: servers and security."""
        self._ledger = ledger
        self._topics = topics
        self._queues = {topics.of_queue(queue): queue for queue in (*queues, REVIEW)}
        self._names = {topics.decisions, topics.dead_letter, *self._queues}
        self._consumer = AIOKafkaConsumer(
            *self._names,
            **client,
            isolation_level="read_committed",
            fetch_max_wait_ms=_FETCH_WAIT_MS,
        )

    async def start(self) -> None:
        """Stand at the end of every topic.

        Raises:
            BrokerError: a topic is not there, or the broker does not answer.
        """
        await self._consumer.start()
        try:
            async with asyncio.timeout(_START_WITHIN):
                # A topic that was made a moment ago may not be known at once.
                while not self._names <= {p.topic for p in self._consumer.assignment()}:  # noqa: ASYNC110 - aiokafka tells no one
                    await asyncio.sleep(_POLL)
                await self._consumer.seek_to_end()
        except TimeoutError:
            raise BrokerError(
                f"The output topics could not be read within {_START_WITHIN:g} s.",
                "`router doctor` says which are not there.",
            ) from None

    async def run(self) -> None:
        """Enter outcomes until cancelled."""
        while True:
            fetched = await self._consumer.getmany(timeout_ms=_FETCH_WAIT_MS)
            at = time.monotonic()
            for partition, records in fetched.items():
                for record in records:
                    self._enter(partition.topic, record, at)

    async def stop(self) -> None:
        await part(self._consumer.stop())

    def _enter(self, topic: str, record: ConsumerRecord, at: float) -> None:
        if topic == self._topics.dead_letter:
            self._ledger.decide(dead_letter(record.headers, at))
        elif topic == self._topics.decisions:
            self._ledger.decide(decision(record.value, at))
        else:
            self._ledger.copy(_source(orjson.loads(record.value)), self._queues[topic])


def decision(value: bytes, at: float) -> Seen:
    """The outcome that a record of the decision log tells."""
    given = orjson.loads(value)
    return Seen(
        _source(given),
        given["queue"],
        given["reason"],
        given["confidence"],
        given["event_id"],
        at,
    )


def dead_letter(headers: Iterable[tuple[str, bytes]], at: float) -> Seen:
    """The outcome that a dead letter's headers tell."""
    named = dict(headers)
    source = Source(
        named["router-source-topic"].decode(),
        int(named["router-source-partition"]),
        int(named["router-source-offset"]),
    )
    return Seen(source, DEAD_LETTER, named["router-reason"].decode(), None, None, at)


def _source(given: Mapping[str, Any]) -> Source:
    source = given["source"]
    return Source(source["topic"], source["partition"], source["offset"])
