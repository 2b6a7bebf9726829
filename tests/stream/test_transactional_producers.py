"""A partition's producers, one after the other: who is fenced by whom, and who is left behind."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    MessageSizeTooLargeError,
    OutOfOrderSequenceNumber,
)

from router.errors import StreamError
from router.stream.exactly_once import ExactlyOnce, transactional_id
from router.stream.partition import TopicPartition
from tests.stream.fakes import CHAT, FakeBatch, partition
from tests.stream.test_exactly_once import TOPICS, FakeBroker, Transactional, parcels

OTHER = TopicPartition("messages.chat", 1)


def test_an_id_is_the_same_in_every_process_and_every_version() -> None:
    """Else whoever starts would not fence whoever was there: in a rolling upgrade, too."""
    assert transactional_id("the group", CHAT) == "router/the group/messages.chat/0"


async def test_what_is_not_assigned_again_is_stopped() -> None:
    """A member that lost its session is assigned anew without a revocation."""
    broker = FakeBroker()
    delivery = broker.delivery()
    await delivery.assigned([CHAT])
    await delivery.assigned([OTHER])
    assert [one.steps for one in broker.made] == [["stop"], []]
    await delivery.publish(parcels(b"a", state=partition(OTHER)))
    assert broker.group == {OTHER: 1}


async def test_a_producer_that_does_not_start_is_the_end_and_leaves_none_half_started() -> None:
    """Its partition's former owner is not fenced: the committed offset may still move."""
    hanging = asyncio.Event()

    class Refused(Transactional):
        async def start(self) -> None:
            if self.tid == transactional_id("router", CHAT):
                await hanging.wait()
                raise ClusterAuthorizationFailedError
            hanging.set()
            await asyncio.Event().wait()

    broker = FakeBroker()
    delivery = ExactlyOnce("router", lambda tid: Refused(tid, broker), broker.committed, 5)
    with pytest.raises(ClusterAuthorizationFailedError):
        await asyncio.wait_for(delivery.assigned([CHAT, OTHER]), 5)
    assert [one.steps for one in broker.made] == [["stop"], ["stop"]]


async def test_a_refused_batch_ends_its_producer_and_nothing_of_that_is_committed() -> None:
    def refuse(topic: str, _: int, batch: FakeBatch) -> BaseException | None:
        large = any(len(value or b"") > 10 for _, value, _ in batch.appended)
        return MessageSizeTooLargeError() if large and topic != TOPICS.dead_letter else None

    broker = FakeBroker(refuse)
    delivery = broker.delivery()
    await delivery.assigned([CHAT])
    await delivery.publish(parcels(b"a", b"x" * 11))
    *refused, last = [one.steps for one in broker.made]
    assert refused == [["begin", "stop"]] * 2  # the batch, then the record by itself
    assert last == ["begin", "offsets after 2", "commit"]
    assert broker.group == {CHAT: 2}


async def test_broken_sequence_numbers_commit_nothing_and_are_the_end() -> None:
    broker = FakeBroker(lambda *_: OutOfOrderSequenceNumber())
    delivery = broker.delivery()
    await delivery.assigned([CHAT])
    with pytest.raises(StreamError, match="sequence numbers"):
        await delivery.publish(parcels(b"a"))
    assert (broker.published, broker.group) == ([], {})
