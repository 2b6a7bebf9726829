"""Batches to output partitions."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable
from typing import Any

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    MessageSizeTooLargeError,
    OutOfOrderSequenceNumber,
)
from aiokafka.partitioner import DefaultPartitioner

from router.core.record import OutRecord
from router.errors import StreamError
from router.stream import sending
from router.stream.sending import Places, Sent, send
from tests.stream.fakes import FakeBatch, FakeProducer


def out(number: int, *, key: bytes | None = None, topic: str = "queue.cards") -> OutRecord:
    return OutRecord(topic, b"k%d" % number if key is None else key, b"v%d" % number, ())


async def send_all(producer: FakeProducer, records: list[OutRecord], limit: float = 5.0) -> Sent:
    return await send(producer, records, range(len(records)), set(), limit, shared=Places())


async def test_a_key_lands_where_other_clients_put_it() -> None:
    producer = FakeProducer()
    await send_all(producer, [out(n) for n in range(200)])
    choose = DefaultPartitioner()
    partitions = list(range(producer.partitions))
    assert len(producer.log) == 200
    for _, partition, key, _ in producer.log:
        assert partition == choose(key, partitions, partitions)


async def test_records_of_one_key_keep_their_order_over_several_batches() -> None:
    producer = FakeProducer(most=3)
    sent = await send_all(producer, [out(n, key=b"same") for n in range(10)])
    assert [value for *_, value in producer.log] == [b"v%d" % n for n in range(10)]
    assert sent.delivered == set(range(10))


async def test_records_without_a_key_are_spread_over_partitions_slice_by_slice() -> None:
    producer = FakeProducer()
    for n in range(12):
        await send(producer, [OutRecord("t", None, b"%d" % n, ())], [0], set(), 5, shared=Places())
    assert {partition for _, partition, _, _ in producer.log} == {0, 1, 2}


async def test_a_wave_is_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "WAVE_BYTES", 1000)
    producer = FakeProducer()
    await send_all(producer, [OutRecord("t", b"k", b"x" * 400, ()) for _ in range(6)])
    assert [size for *_, size in producer.sends] == [2, 2, 2]


async def test_a_record_larger_than_a_wave_goes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "WAVE_BYTES", 1000)
    producer = FakeProducer()
    big = OutRecord("t", b"k", b"x" * 5000, ())
    await send_all(producer, [out(0, key=b"k", topic="t"), big, out(1, key=b"k", topic="t")])
    assert [size for *_, size in producer.sends] == [1, 1, 1]
    assert len(producer.log) == 3


async def test_after_a_refused_batch_nothing_more_is_sent() -> None:
    def refuse(topic: str, partition: int, batch: FakeBatch) -> BaseException | None:
        return MessageSizeTooLargeError() if batch.appended[0][1] == b"v0" else None

    producer = FakeProducer(refuse, most=2)
    sent = await send_all(producer, [out(n, key=b"same") for n in range(6)])
    assert sent.refused == [[0, 1]]
    assert sent.delivered == set()
    assert producer.log == []


async def test_broken_sequence_numbers_are_told_apart() -> None:
    producer = FakeProducer(lambda *_: OutOfOrderSequenceNumber())
    sent = await send_all(producer, [out(0)])
    assert sent.broken
    assert sent.delivered == set()


async def test_any_other_error_is_the_end() -> None:
    producer = FakeProducer(lambda *_: KafkaConnectionError("gone"))
    with pytest.raises(StreamError, match="KafkaConnectionError"):
        await send_all(producer, [out(0)])


async def test_a_batch_that_is_not_acknowledged_in_time_is_the_end() -> None:
    producer = FakeProducer()
    producer.held = asyncio.Event()
    with pytest.raises(StreamError, match="within"):
        await send_all(producer, [out(0)], limit=0.05)


async def test_a_topic_whose_partitions_are_never_known_is_the_end() -> None:
    class Deaf(FakeProducer):
        async def partitions_for(self, topic: str) -> set[int]:
            await asyncio.Event().wait()
            return set()

    with pytest.raises(StreamError, match="within"):
        await send_all(Deaf(), [out(0)], limit=0.05)


async def test_an_error_of_our_own_is_not_taken_for_an_acknowledgement() -> None:
    producer = FakeProducer(lambda *_: ValueError("a bug"))
    with pytest.raises(ValueError, match="a bug"):
        await send_all(producer, [out(0)])


async def test_a_producer_that_is_closed_under_a_batch_counts_as_broken() -> None:
    class Closing(FakeProducer):
        async def send_batch(
            self, batch: FakeBatch, topic: str, *, partition: int
        ) -> asyncio.Future[None]:
            del batch, topic, partition
            dropped: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            dropped.cancel()
            return dropped

    sent = await send_all(Closing(), [out(0)])
    assert sent.broken
    assert sent.delivered == set()


async def test_a_batch_that_fails_after_it_was_given_up_is_no_complaint_of_the_loops(
    caplog: pytest.LogCaptureFixture,
) -> None:
    producer = FakeProducer(lambda *_: KafkaConnectionError("gone"))
    producer.held = asyncio.Event()
    with pytest.raises(StreamError, match="within"):
        await send_all(producer, [out(0)], limit=0.05)
    producer.held.set()
    await asyncio.sleep(0.01)
    gc.collect()
    assert "never retrieved" not in caplog.text


async def test_slices_that_share_an_output_partition_take_their_places_in_order() -> None:
    """aiokafka gives up on one that waits beside others and is passed over: see `Places`."""

    class OnePlace(FakeProducer):
        waiting = 0

        async def send_batch(
            self, batch: FakeBatch, topic: str, *, partition: int
        ) -> Awaitable[Any]:
            self.waiting += 1
            assert self.waiting == 1
            await asyncio.sleep(0)
            self.waiting -= 1
            self.log += [(topic, partition, key, value) for key, value, _ in batch.appended]
            done = asyncio.get_running_loop().create_future()
            done.set_result(None)
            return done

    producer, shared = OnePlace(), Places()
    slices = [[OutRecord("t", b"k", b"%d" % number, ())] for number in range(50)]
    await asyncio.gather(*(send(producer, one, [0], set(), 5, shared=shared) for one in slices))
    assert [value for *_, value in producer.log] == [b"%d" % number for number in range(50)]
