"""Fetch and seek on one thread: no record is lost between them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
from tests.stream.fakes import CHAT, until

OTHER = TopicPartition("messages.chat", 1)


class FakeConsumer:
    """aiokafka's consumer as far as it matters: logs, positions, and a fetch that waits for
    ``arrival`` and then takes what stands at the position without a further await."""

    def __init__(self, **logs: int) -> None:
        self.ends = {TopicPartition("messages.chat", int(n[1:])): end for n, end in logs.items()}
        self.positions = dict.fromkeys(self.ends, 0)
        self.group: dict[TopicPartition, int] = {}
        self.first = 0
        self.arrival = asyncio.Event()
        self.asked: list[set[TopicPartition]] = []
        self.commit_error: Exception | None = None
        self.fetch_error: Exception | None = None
        self._fetcher = self
        self._subscriptions = self
        self._subscription = SimpleNamespace(
            subscription=SimpleNamespace(
                assignment=SimpleNamespace(tps=set(self.ends), state_value=self._state)
            )
        )

    def _state(self, tp: TopicPartition) -> Any:
        return SimpleNamespace(
            position=self.positions[tp], has_valid_position=True, lso=self.ends[tp], highwater=0
        )

    @contextmanager
    def fetch_context(self) -> Iterator[None]:
        yield

    async def fetched_records(
        self,
        partitions: set[TopicPartition],
        timeout: float,  # noqa: ASYNC109  # aiokafka's signature
        max_records: int | None,
    ) -> dict[TopicPartition, list[Any]]:
        assert partitions
        self.asked.append(partitions)
        try:
            await asyncio.wait_for(self.arrival.wait(), timeout)
        except TimeoutError:
            return {}
        if self.fetch_error is not None:
            raise self.fetch_error
        found = {}
        for tp in partitions:
            if self.positions[tp] < self.ends[tp]:
                offsets = range(self.positions[tp], self.ends[tp])
                found[tp] = [SimpleNamespace(offset=offset) for offset in offsets]
                self.positions[tp] = self.ends[tp]
        return found

    async def beginning_offsets(
        self, partitions: Sequence[TopicPartition]
    ) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, self.first)

    async def end_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return {tp: self.ends[tp] for tp in partitions}

    async def committed(self, tp: TopicPartition) -> int | None:
        return self.group.get(tp)

    def seek(self, tp: TopicPartition, offset: int) -> None:
        self.positions[tp] = offset

    def assignment(self) -> set[TopicPartition]:
        return set(self.ends)

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        if self.commit_error is not None:
            raise self.commit_error
        self.group |= offsets


async def test_a_fetch_that_waits_during_a_seek_takes_nothing_and_the_records_come_after() -> None:
    """The window: a fetch of the old assignment is waiting, the seek comes, then the records."""
    consumer = FakeConsumer(p0=5)
    reader = Reader(consumer)
    before = await reader.place([CHAT])
    waiting = asyncio.ensure_future(reader.fetch({CHAT: before[CHAT].sequence}, 5))
    await until(lambda: bool(consumer.asked))
    after = await reader.place([CHAT])
    consumer.arrival.set()
    assert await waiting == {}
    fetched = (await reader.fetch({CHAT: after[CHAT].sequence}, 5))[CHAT]
    assert isinstance(fetched, Fetched)
    assert [one.offset for one in fetched.records] == [0, 1, 2, 3, 4]


async def test_a_fetch_asked_for_before_a_seek_and_begun_after_takes_nothing() -> None:
    consumer = FakeConsumer(p0=5)
    reader = Reader(consumer)
    before = await reader.place([CHAT])
    await reader.place([CHAT])
    consumer.arrival.set()
    assert await reader.fetch({CHAT: before[CHAT].sequence}, 5) == {}
    assert consumer.asked == []
    assert consumer.positions[CHAT] == 0


async def test_records_taken_just_before_a_seek_carry_the_old_sequence_number() -> None:
    consumer = FakeConsumer(p0=5)
    reader = Reader(consumer)
    before = await reader.place([CHAT])
    consumer.arrival.set()
    fetched = await reader.fetch({CHAT: before[CHAT].sequence}, 5)
    after = await reader.place([CHAT])
    assert fetched[CHAT].sequence != after[CHAT].sequence
    assert consumer.positions[CHAT] == 0


async def test_one_moved_partition_does_not_keep_the_others_from_being_fetched() -> None:
    consumer = FakeConsumer(p0=5, p1=3)
    reader = Reader(consumer)
    placed = await reader.place([CHAT, OTHER])
    await reader.reposition(CHAT, 2)
    consumer.arrival.set()
    fetched = await reader.fetch({tp: one.sequence for tp, one in placed.items()}, 5)
    assert list(fetched) == [OTHER]


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


async def test_an_offset_of_nought_is_sought_too() -> None:
    consumer = FakeConsumer(p0=5)
    consumer.group[CHAT] = 0
    consumer.positions[CHAT] = 5
    placed = await Reader(consumer).place([CHAT])
    assert (placed[CHAT].position, consumer.positions[CHAT]) == (0, 0)


@pytest.mark.parametrize(("committed", "expected"), [(None, 3), (1, 3), (4, 4)])
async def test_reading_starts_at_what_is_committed_or_at_the_beginning(
    committed: int | None, expected: int
) -> None:
    consumer = FakeConsumer(p0=5)
    consumer.first = 3
    if committed is not None:
        consumer.group[CHAT] = committed
    placed = await Reader(consumer).place([CHAT])
    assert (placed[CHAT].position, placed[CHAT].committed) == (expected, committed)


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
