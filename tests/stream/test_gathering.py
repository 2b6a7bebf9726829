"""Slices of several partitions in one routing call, and in one publication."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from router.core.line import Outcome
from router.core.record import InRecord
from router.core.topics import Topics
from router.errors import StreamError
from router.stream.gathering import Gathering, Turn
from router.stream.partition import Partition, TopicPartition
from tests.stream.echo import EchoLine
from tests.stream.fakes import partition, record, records, slice_of, until


class Desk:
    """A gathering in front of a line whose thread is held until ``free``; what is published waits
    for ``publishing``, where that is there."""

    def __init__(self, most: int = 100, *, together: bool = True) -> None:
        self.line = EchoLine(Topics())
        self.calls: list[tuple[list[str], float]] = []
        self.published: list[list[str]] = []
        self.led: list[list[bool]] = []
        self.begun: list[list[str]] = []
        self.publishing: asyncio.Event | None = None
        self.error: Exception | None = None
        self.refused: Exception | None = None
        self.executor = ThreadPoolExecutor(1)
        self._free = threading.Event()
        self.executor.submit(self._free.wait)
        self.gathering = Gathering(
            self.executor, self._route, self._publish, lambda: most, together=together
        )

    def _route(self, records: Sequence[InRecord], fetched_at: float) -> list[Outcome]:
        self.calls.append(([str(record.source) for record in records], fetched_at))
        if self.error is not None:
            raise self.error
        return self.line.route(records, fetched_at)

    async def _publish(self, turns: Sequence[Turn]) -> None:
        names = [str(outcome.source) for turn in turns for outcome in turn.outcomes]
        self.begun.append(names)
        if self.publishing is not None:
            await self.publishing.wait()
        if self.refused is not None:
            raise self.refused
        self.published.append(names)
        self.led.append([turn.leads for turn in turns])

    def asked(
        self, state: Partition, given: Sequence[InRecord], fetched_at: float = 0.0
    ) -> asyncio.Task[bool]:
        return asyncio.create_task(self.gathering.do(slice_of(given, state, fetched_at)))

    async def free(self) -> None:
        """Once all that was asked for is in line."""
        await asyncio.sleep(0)
        self._free.set()

    def close(self) -> None:
        self._free.set()
        self.executor.shutdown()


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    yield desk
    desk.close()


def at(number: int) -> Partition:
    return partition(TopicPartition("messages.chat", number))


def some(number: int, start: int, stop: int) -> list[InRecord]:
    return records(start, stop, TopicPartition("messages.chat", number))


async def test_what_waits_while_a_call_is_under_way_goes_together_into_the_next(
    desk: Desk,
) -> None:
    first = desk.asked(at(0), some(0, 5, 6), 3.0)
    others = [desk.asked(at(1), some(1, 0, 2), 7.0), desk.asked(at(2), some(2, 9, 10), 5.0)]
    await desk.free()
    assert await asyncio.gather(first, *others) == [True] * 3
    together = ["messages.chat/1/0", "messages.chat/1/1", "messages.chat/2/9"]
    assert desk.calls == [(["messages.chat/0/5"], 3.0), (together, 5.0)]
    assert desk.published == [["messages.chat/0/5"], together]


async def test_with_transactions_the_slices_of_a_call_are_published_apart() -> None:
    desk = Desk(together=False)
    asked = [desk.asked(at(number), some(number, 0, 1)) for number in range(3)]
    await desk.free()
    await asyncio.gather(*asked)
    assert len(desk.calls) == 2
    assert sorted(desk.published) == [[f"messages.chat/{number}/0"] for number in range(3)]
    desk.close()


async def test_one_slice_of_each_call_counts_its_timings(desk: Desk) -> None:
    asked = [desk.asked(at(number), some(number, 0, 1)) for number in range(4)]
    await desk.free()
    await asyncio.gather(*asked)
    assert desk.led == [[True], [True, False, False]]


async def test_a_call_has_no_more_records_than_allowed_but_for_a_single_slice() -> None:
    desk = Desk(most=3)
    asked = [desk.asked(at(n), some(n, 0, size)) for n, size in enumerate((1, 2, 1, 1, 5))]
    await desk.free()
    assert await asyncio.gather(*asked) == [True] * 5
    assert [len(call) for call, _ in desk.calls] == [1, 3, 1, 5]
    desk.close()


async def test_a_call_has_no_more_bytes_than_a_slice_may_have(desk: Desk) -> None:
    large = [
        [record(0, b"x" * 3_000_000, TopicPartition("messages.chat", number))]
        for number in range(3)
    ]
    asked = [desk.asked(at(number), one) for number, one in enumerate(large)]
    await desk.free()
    await asyncio.gather(*asked)
    assert [len(call) for call, _ in desk.calls] == [1, 1, 1]


async def test_a_partition_that_is_taken_away_is_left_out_and_the_others_are_not(
    desk: Desk,
) -> None:
    states = [at(number) for number in range(3)]
    asked = [desk.asked(state, some(n, 0, 1)) for n, state in enumerate(states)]
    await asyncio.sleep(0)
    states[1].closing = True
    await desk.free()
    assert await asyncio.gather(*asked) == [True, False, True]
    assert desk.published == [["messages.chat/0/0"], ["messages.chat/2/0"]]
    assert desk.led == [[True], [True]]


async def test_a_lane_that_is_cancelled_in_line_is_routed_no_more(desk: Desk) -> None:
    asked = [desk.asked(at(number), some(number, 0, 1)) for number in range(3)]
    await asyncio.sleep(0)
    asked[1].cancel()
    await desk.free()
    assert await asked[2]
    assert [call for call, _ in desk.calls] == [["messages.chat/0/0"], ["messages.chat/2/0"]]


async def test_a_lane_that_is_cancelled_while_it_is_routed_is_not_published(desk: Desk) -> None:
    asked = desk.asked(at(0), some(0, 0, 1))
    other = desk.asked(at(1), some(1, 0, 1))
    await asyncio.sleep(0)
    asked.cancel()
    await desk.free()
    assert await other
    assert desk.published == [["messages.chat/1/0"]]


async def test_a_lane_that_is_cancelled_as_its_slice_is_handed_on_is_not_published(
    desk: Desk,
) -> None:
    """As by the failure of the slice before it, which was told a moment ago."""
    one = slice_of(some(0, 0, 1), at(0))
    asked = asyncio.create_task(desk.gathering.do(one))

    def stop_next() -> None:
        asyncio.get_running_loop().call_soon(asked.cancel)

    one.routed = stop_next
    await desk.free()
    await asyncio.gather(asked, return_exceptions=True)
    assert asked.cancelled()
    assert await desk.asked(at(1), some(1, 0, 1))
    assert desk.begun == [["messages.chat/1/0"]]


async def test_a_publication_that_nobody_waits_for_is_broken_off(desk: Desk) -> None:
    desk.publishing = asyncio.Event()
    asked = desk.asked(at(0), some(0, 0, 1))
    await desk.free()
    await until(lambda: bool(desk.begun))
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    desk.publishing.set()
    assert await desk.asked(at(1), some(1, 0, 1))
    assert desk.published == [["messages.chat/1/0"]]


async def test_a_slice_is_routed_while_the_one_before_it_is_published_and_published_after_it(
    desk: Desk,
) -> None:
    desk.publishing = asyncio.Event()
    state = at(0)
    asked = [desk.asked(state, some(0, number, number + 1)) for number in range(2)]
    await desk.free()
    await until(lambda: len(desk.calls) == 2)
    await asyncio.sleep(0.01)
    assert desk.begun == [["messages.chat/0/0"]]
    desk.publishing.set()
    assert await asyncio.gather(*asked) == [True, True]
    assert desk.published == [["messages.chat/0/0"], ["messages.chat/0/1"]]


async def test_what_comes_after_a_publication_that_failed_is_not_published(desk: Desk) -> None:
    desk.publishing = asyncio.Event()
    state = at(0)
    asked = [desk.asked(state, some(0, number, number + 1)) for number in range(2)]
    await desk.free()
    await until(lambda: len(desk.calls) == 2)
    desk.refused = StreamError("no")
    desk.publishing.set()
    told = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(one) for one in told] == [StreamError] * 2
    assert desk.begun == [["messages.chat/0/0"]]


async def test_what_a_lane_hands_in_when_its_slice_is_routed_is_in_the_very_next_call(
    desk: Desk,
) -> None:
    state = at(0)
    later: list[asyncio.Task[bool]] = []
    one = slice_of(some(0, 0, 1), state)
    one.routed = lambda: later.append(desk.asked(state, some(0, 1, 2)))
    first = asyncio.create_task(desk.gathering.do(one))
    await asyncio.sleep(0)
    other = desk.asked(at(1), some(1, 0, 1))
    await desk.free()
    await asyncio.gather(first, other)
    await asyncio.gather(*later)
    assert [call for call, _ in desk.calls] == [
        ["messages.chat/0/0"],
        ["messages.chat/1/0", "messages.chat/0/1"],
    ]


async def test_a_failure_is_told_to_every_slice_of_its_call_and_the_next_call_is_made(
    desk: Desk,
) -> None:
    desk.error = RuntimeError("no")
    asked = [desk.asked(at(number), some(number, 0, 1)) for number in range(3)]
    await desk.free()
    told = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(one) for one in told] == [RuntimeError] * 3
    desk.error = None
    assert await desk.asked(at(0), some(0, 1, 2))
    assert desk.published == [["messages.chat/0/1"]]


async def test_outcomes_of_other_records_are_told_to_nobody(desk: Desk) -> None:
    class Forgetful(EchoLine):
        def route(self, records: Sequence[InRecord], fetched_at: float) -> list[Outcome]:
            return super().route(records, fetched_at)[:-1]

    desk.line = Forgetful(Topics())
    asked = desk.asked(at(0), some(0, 0, 2))
    await desk.free()
    with pytest.raises(StreamError, match="one outcome for each record"):
        await asked
    assert desk.published == []
