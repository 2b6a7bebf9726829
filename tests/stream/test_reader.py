"""Fetch and commit on one thread."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import (
    CommitFailedError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    TopicAuthorizationFailedError,
)

from router.stream.partition import TopicPartition
from router.stream.reader import Fetched, Gone, Reader
from tests.stream.fakes import CHAT, FakeConsumer, until

OTHER = TopicPartition("messages.chat", 1)


@pytest.mark.parametrize(("position", "expected"), [(None, 5), (3, 5), (7, 7)])
async def test_the_next_fetch_starts_after_the_records_and_after_the_markers_behind_them(
    position: int | None, expected: int
) -> None:
    class Elsewhere(FakeConsumer):
        def _state(self, tp: TopicPartition) -> Any:
            return SimpleNamespace(
                position=position, has_valid_position=position is not None, lso=5, highwater=0
            )

    consumer = Elsewhere(p0=5)
    consumer.arrival.set()
    reader = Reader(consumer)
    placed = await reader.place([CHAT])
    fetched = (await reader.fetch({CHAT: placed[CHAT].sequence}, 5))[CHAT]
    assert isinstance(fetched, Fetched)
    assert fetched.position == expected


async def test_waking_cuts_a_waiting_fetch_short() -> None:
    consumer = FakeConsumer(p0=5)
    reader = Reader(consumer)
    placed = await reader.place([CHAT])
    waiting = asyncio.ensure_future(reader.fetch({CHAT: placed[CHAT].sequence}, 60))
    await until(lambda: bool(consumer.asked))
    reader.wake()
    await until(waiting.done)
    assert waiting.result() == {}


async def test_waking_before_the_fetch_begins_is_not_forgotten() -> None:
    consumer = FakeConsumer(p0=5)
    reader = Reader(consumer)
    placed = await reader.place([CHAT])
    reader.wake()
    wanted = {CHAT: placed[CHAT].sequence}
    begun_after = asyncio.ensure_future(reader.fetch(wanted, 60))
    await until(begun_after.done)
    assert begun_after.result() == {}
    consumer.arrival.set()
    fetched = (await reader.fetch(wanted, 5))[CHAT]
    assert isinstance(fetched, Fetched)
    assert len(fetched.records) == 5


@pytest.mark.parametrize(("position", "first"), [(2, 3), (9, 0)])
async def test_a_position_that_is_gone_is_told_with_what_there_is(
    position: int, first: int
) -> None:
    consumer = FakeConsumer(p0=5)
    consumer.group[CHAT] = position
    consumer.arrival.set()
    reader = Reader(consumer)
    placed = await reader.place([CHAT])
    consumer.first = first
    consumer.fetch_error = OffsetOutOfRangeError({CHAT: position})
    fetched = await reader.fetch({CHAT: placed[CHAT].sequence}, 5)
    assert fetched == {CHAT: Gone(placed[CHAT].sequence, position, first, 5)}


@pytest.mark.parametrize(
    "error", [OffsetOutOfRangeError({CHAT: 2}), NoOffsetForPartitionError(CHAT)], ids=repr
)
async def test_an_error_that_is_over_is_passed_over(error: Exception) -> None:
    """One from before the seek, or from a broker that had just become the leader."""
    consumer = FakeConsumer(p0=5)
    consumer.arrival.set()
    reader = Reader(consumer)
    placed = await reader.place([CHAT])
    consumer.fetch_error = error
    assert await reader.fetch({CHAT: placed[CHAT].sequence}, 5) == {}


async def test_a_commit_after_a_rebalance_is_no_error() -> None:
    consumer = FakeConsumer(p0=5)
    consumer.commit_error = CommitFailedError("already rebalanced")
    assert not await Reader(consumer).commit({CHAT: 3}, 5)


async def test_a_refused_commit_is_an_error() -> None:
    consumer = FakeConsumer(p0=5)
    consumer.commit_error = TopicAuthorizationFailedError("no")
    with pytest.raises(TopicAuthorizationFailedError):
        await Reader(consumer).commit({CHAT: 3}, 5)


async def test_only_assigned_partitions_are_committed() -> None:
    consumer = FakeConsumer(p0=5)
    assert not await Reader(consumer).commit({OTHER: 3}, 5)
    assert await Reader(consumer).commit({OTHER: 3, CHAT: 2}, 5)
    assert consumer.group == {CHAT: 2}


async def test_a_commit_that_is_not_answered_is_given_up() -> None:
    class Deaf(FakeConsumer):
        async def commit(self, offsets: dict[TopicPartition, int]) -> None:
            await asyncio.Event().wait()

    committing = Reader(Deaf(p0=5)).commit({CHAT: 3}, 0.01)
    assert not await asyncio.wait_for(committing, 5)
