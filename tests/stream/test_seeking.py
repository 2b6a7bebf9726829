"""Seeks: where they go, and that no fetch gets between."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest
from aiokafka.errors import OffsetOutOfRangeError

from router.stream.partition import TopicPartition
from router.stream.reader import Fetched, Gone, Reader
from tests.stream.fakes import CHAT, FakeConsumer, until

OTHER = TopicPartition("messages.chat", 1)


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
    assert [one.source.offset for one in fetched.records] == [0, 1, 2, 3, 4]


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


class Waiting:
    """A fetch call that waits. Once it was cut short, the next turn of the loop shows."""

    def __init__(self, steps: list[str]) -> None:
        self._steps = steps

    def cancel(self) -> None:
        self._steps.append("cut short")
        asyncio.get_running_loop().call_soon(self._steps.append, "something else ran")


@pytest.mark.parametrize(
    ("move", "seeks"),
    [
        (lambda reader: reader.place([CHAT, OTHER]), ["seek 0", "seek 1"]),
        (lambda reader: reader.reposition(CHAT, 2), ["seek 0"]),
    ],
    ids=["place", "reposition"],
)
async def test_nothing_else_runs_between_cutting_a_fetch_short_and_the_seeks(
    move: Callable[[Reader], Awaitable[object]], seeks: list[str]
) -> None:
    """The window: a fetch that is asked for in between would wait on the old place, and take from
    the new one under the old sequence number. Any await would open it."""
    steps: list[str] = []

    class Noting(FakeConsumer):
        def seek(self, tp: TopicPartition, offset: int) -> None:
            steps.append(f"seek {tp.partition}")
            super().seek(tp, offset)

    reader = Reader(Noting(p0=5, p1=5))
    reader._fetching = Waiting(steps)  # type: ignore[assignment]  # as far as it is asked
    await move(reader)
    assert steps == ["cut short", *seeks]


async def seek_meanwhile(reader: Reader) -> None:
    await reader.reposition(CHAT, 4)


async def wake_meanwhile(reader: Reader) -> None:
    reader.wake()


@pytest.mark.parametrize("meanwhile", [seek_meanwhile, wake_meanwhile])
async def test_what_is_gone_is_told_under_the_number_it_was_asked_with_whatever_comes_meanwhile(
    meanwhile: Callable[[Reader], Awaitable[None]],
) -> None:
    """The window: a seek, or a batch that is finished, while the log's ends are asked for."""

    class Slow(FakeConsumer):
        async def end_offsets(
            self, partitions: Sequence[TopicPartition]
        ) -> dict[TopicPartition, int]:
            await meanwhile(reader)
            await asyncio.sleep(0)
            return await super().end_offsets(partitions)

    consumer = Slow(p0=5)
    consumer.arrival.set()
    reader = Reader(consumer)
    placed = await reader.place([CHAT])
    consumer.first = 3
    consumer.fetch_error = OffsetOutOfRangeError({CHAT: 0})
    fetching = asyncio.ensure_future(reader.fetch({CHAT: placed[CHAT].sequence}, 5))
    await asyncio.wait({fetching}, timeout=5)
    assert not fetching.cancelled(), "the fetch loop would end with that"
    assert fetching.result() == {CHAT: Gone(placed[CHAT].sequence, 0, 3, 5)}


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
