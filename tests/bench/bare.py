"""``python -m tests.bench.bare``: aiokafka alone, consuming, doing the work and producing.

`ROUTER_DELIVERY` says how: an idempotent producer and offsets committed once a second, or one
transactional producer a partition, with what comes of a batch and its offset in one transaction.
Batches are the router's own, sent by ``send_batch``. `BENCH_STYLE=plain` has no idempotence, and a
batch is all that was fetched. `BENCH_LOAD` is what is done (see ``work.py``); left out, each
record becomes two about as long as a decision, as a routed one does, and nothing is read.

From aiokafka's documentation: ``create_batch`` and ``send_batch`` where throughput counts, commits
by hand after the work, and consume-transform-produce in a transaction. For one worker alone: it
takes no part in a rebalance.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import aiokafka.producer.sender
import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from router.core.record import InRecord, OutRecord
from router.settings import Settings, load_settings
from router.stream.producers import new_producer, transactional_producers
from router.stream.thread import FETCH_BYTES
from tests.bench.baselines.incoming import cut, record_of
from tests.bench.work import Work, work_of

_PADDING = "v" * 1200
"""Makes an output record about as long as a decision."""
_COMMIT_SECONDS = 1.0
_WHOLE = 1_000_000

# As the router has it: else a bare loop would be the slower one at small transactions.
aiokafka.producer.sender.BACKOFF_OVERRIDE = 0.001


class _Loop:
    def __init__(self, settings: Settings, work: Work, *, plain: bool) -> None:
        self._settings = settings
        self._work = work
        self._plain = plain
        self._group = settings.group if settings.delivery == "exactly-once" else ""
        self._most = _WHOLE if plain else settings.batch_records

    async def run(self) -> None:
        settings = self._settings
        consumer = AIOKafkaConsumer(
            *settings.topics().inputs,
            bootstrap_servers=settings.broker,
            group_id=settings.group,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=FETCH_BYTES,
        )
        await consumer.start()
        while not consumer.assignment():  # noqa: ASYNC110 - aiokafka has no event for it
            await asyncio.sleep(0.05)
        producers = await self._producers(list(consumer.assignment()))
        sys.stdout.write('{"event": "ready"}\n')
        sys.stdout.flush()
        committed = time.monotonic()
        while True:
            fetched = await consumer.getmany(timeout_ms=1000)
            await asyncio.gather(
                *(self._pass_on(producers[tp], tp, records) for tp, records in fetched.items())
            )
            if not self._group and time.monotonic() - committed > _COMMIT_SECONDS:
                await consumer.commit()
                committed = time.monotonic()

    async def _producers(self, partitions: Sequence[TopicPartition]) -> Mapping[Any, Any]:
        settings = self._settings
        if self._group:
            make = transactional_producers(settings)
            each = {tp: make(f"{self._group}/bare/{tp.topic}/{tp.partition}") for tp in partitions}
            await asyncio.gather(*(producer.start() for producer in each.values()))
            return each
        producer = new_producer(settings, enable_idempotence=not self._plain)
        await producer.start()
        return dict.fromkeys(partitions, producer)

    async def _pass_on(
        self, producer: Any, tp: TopicPartition, records: Sequence[ConsumerRecord]
    ) -> None:
        for batch in cut([record_of(record) for record in records], self._most):
            outputs = self._work(batch)
            if not self._group:
                await _send(producer, outputs, tp.partition)
                continue
            await producer.begin_transaction()
            await _send(producer, outputs, tp.partition)
            after = OffsetAndMetadata(batch[-1].source.offset + 1, "")
            await producer.send_offsets_to_transaction({tp: after}, self._group)
            await producer.commit_transaction()


async def _send(producer: Any, outputs: Sequence[OutRecord], partition: int) -> None:
    """Upstream keys by conversation too: what comes of a partition may stay in that partition."""
    by_topic: dict[str, list[OutRecord]] = defaultdict(list)
    for output in outputs:
        by_topic[output.topic].append(output)
    sends = []
    for topic, records in by_topic.items():
        batch = producer.create_batch()
        for record in records:
            parts = {"key": record.key, "value": record.value, "headers": list(record.headers)}
            if batch.append(timestamp=None, **parts) is None:  # it is full
                sends.append(await producer.send_batch(batch, topic, partition=partition))
                batch = producer.create_batch()
                batch.append(timestamp=None, **parts)
        sends.append(await producer.send_batch(batch, topic, partition=partition))
    await asyncio.gather(*sends)


def _padded(settings: Settings) -> Work:
    topics = settings.topics()

    def pad(records: Sequence[InRecord]) -> list[OutRecord]:
        return [
            OutRecord(topic, record.key, _padded_value(record), ())
            for topic in (topics.decisions, topics.review)
            for record in records
        ]

    return pad


def _padded_value(record: InRecord) -> bytes:
    return orjson.dumps({"source": record.source, "padding": _PADDING})


def main() -> None:
    settings = load_settings(os.environ)
    load = os.environ.get("BENCH_LOAD", "")
    work = work_of(load, settings) if load else _padded(settings)
    plain = os.environ.get("BENCH_STYLE") == "plain"
    asyncio.run(_Loop(settings, work, plain=plain).run())


if __name__ == "__main__":
    main()
