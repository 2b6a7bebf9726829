"""Rates told by the broker's own stamps."""

from __future__ import annotations

import asyncio

import pytest

from router.settings import Settings
from router.stream.admin import open_admin
from router.stream.producers import transactional_producers
from router.stream.topic_list import TopicSpec
from tests.bench.output import Output
from tests.kafka import Cluster

pytestmark = pytest.mark.kafka


async def test_records_are_counted_from_the_first_stamp_on_and_transactions_markers_are_not(
    kafka: Cluster, topic_prefix: str
) -> None:
    settings = Settings(broker=kafka.bootstrap)
    topic = f"{topic_prefix}out"
    stamped = {"message.timestamp.type": "LogAppendTime"}
    async with open_admin(settings) as admin:
        await admin.create([TopicSpec(topic, "queue", 2, None, stamped)])
    producer = transactional_producers(settings)(f"{topic_prefix}id")
    await producer.start()
    async with Output(kafka.bootstrap, topic, 2) as output:
        assert await output.span(0.0, transactions=True) is None
        for _ in range(3):
            await producer.begin_transaction()
            batch = producer.create_batch()
            for _ in range(10):
                batch.append(timestamp=None, key=None, value=b"v")
            await (await producer.send_batch(batch, topic, partition=1))
            await producer.commit_transaction()
        await producer.stop()
        async with asyncio.timeout(10):  # the last marker follows its commit
            while await output.ends() < 30 + 3:  # noqa: ASYNC110 - the broker tells nobody
                await asyncio.sleep(0.01)
        span = await output.span(0.0, transactions=True)
    assert span is not None
    assert span.first == span.since < span.until
    assert span.records == 20
