"""One ordered task for each partition."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.stream.lanes import Lane, Lanes
from router.stream.partition import Partition, Slice, TopicPartition
from router.stream.slices import SLICE_BYTES
from tests.stream.fakes import GatedWork, partition, record, records, until


class Bench:
    """Lanes around gated work, and what they told."""

    def __init__(self) -> None:
        self.work = GatedWork()
        self.failures: list[BaseException] = []
        self.freed: list[Partition] = []
        self.most = 2
        self.lanes = Lanes(self._lane)

    def _lane(self, state: Partition) -> Lane:
        return Lane(state, self.work, lambda: self.most, self.freed.append, self.failures.append)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench()
    yield bench
    bench.lanes.close()
    await asyncio.sleep(0)


async def test_slices_go_in_order_one_at_a_time(bench: Bench) -> None:
    state = partition()
    bench.lanes.put(state.take(records(0, 3), 3, 0.0))
    bench.lanes.put(state.take(records(3, 5), 5, 0.0))
    await until(lambda: bool(bench.work.begun))
    await asyncio.sleep(0.01)
    assert [entry[2] for entry in bench.work.begun] == [[0, 1]]
    bench.work.gate.set()
    await bench.lanes.wait_idle()
    assert [entry[2] for entry in bench.work.done] == [[0, 1], [2, 3], [4]]
    assert state.to_commit == 5
    assert bench.freed == [state, state]


async def test_partitions_overlap(bench: Bench) -> None:
    one, other = partition(), partition(TopicPartition("messages.chat", 1))
    bench.lanes.put(one.take(records(0, 1), 1, 0.0))
    bench.lanes.put(other.take(records(0, 1, other.tp), 1, 0.0))
    await until(lambda: len(bench.work.begun) == 2)
    assert bench.work.done == []


async def test_nothing_is_acknowledged_before_the_work_is_done(bench: Bench) -> None:
    state = partition()
    bench.lanes.put(state.take(records(0, 2), 2, 0.0))
    await until(lambda: bool(bench.work.begun))
    assert state.to_commit is None
    bench.work.gate.set()
    await bench.lanes.wait_idle()
    assert state.to_commit == 2


async def test_a_failure_is_told_acknowledges_nothing_and_stops_the_lane(bench: Bench) -> None:
    state = partition()
    bench.work.error = RuntimeError("no")
    bench.work.gate.set()
    bench.lanes.put(state.take(records(0, 2), 2, 0.0))
    bench.lanes.put(state.take(records(2, 4), 4, 0.0))
    await until(lambda: bool(bench.failures))
    await asyncio.sleep(0.01)
    assert len(bench.work.begun) == 1
    assert state.to_commit is None
    assert bench.freed == []


async def test_after_a_failure_the_lanes_take_nothing_more(bench: Bench) -> None:
    state = partition()
    bench.work.gate.set()
    bench.lanes.close()
    bench.lanes.put(state.take(records(0, 2), 2, 0.0))
    await asyncio.sleep(0.01)
    assert bench.work.begun == []


async def test_a_partition_revoked_in_mid_batch_finishes_the_slice_and_drops_the_rest(
    bench: Bench,
) -> None:
    state = partition()
    bench.lanes.put(state.take(records(0, 6), 6, 0.0))
    bench.lanes.put(state.take(records(6, 8), 8, 0.0))
    await until(lambda: bool(bench.work.begun))
    state.closing = True
    bench.work.gate.set()
    await bench.lanes.wait_idle()
    assert [entry[2] for entry in bench.work.done] == [[0, 1]]
    assert state.to_commit == 2


async def test_a_batch_of_an_earlier_assignment_is_not_begun(bench: Bench) -> None:
    state = partition()
    late = state.take(records(0, 2), 2, 0.0)
    state.move(sequence=2, position=0)
    bench.work.gate.set()
    bench.lanes.put(late)
    await asyncio.sleep(0.01)
    assert bench.work.begun == []
    assert not bench.lanes.busy(state)


async def test_waiting_for_idle_waits_for_the_slice_in_flight(bench: Bench) -> None:
    state = partition()
    bench.lanes.put(state.take(records(0, 2), 2, 0.0))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(bench.lanes.wait_idle(), 0.02)
    bench.work.gate.set()
    await asyncio.wait_for(bench.lanes.wait_idle(), 5)


async def test_a_slice_that_was_not_begun_is_not_acknowledged_nor_what_follows_it(
    bench: Bench,
) -> None:
    state = partition()
    bench.work.declines = True
    bench.work.gate.set()
    bench.lanes.put(state.take(records(0, 4), 4, 0.0))
    await bench.lanes.wait_idle()
    assert [entry[2] for entry in bench.work.begun] == [[0, 1]]
    assert state.acked is None
    assert state.to_commit is None
    assert bench.failures == []


async def test_a_slice_that_was_not_begun_leaves_the_one_before_it_alone(bench: Bench) -> None:
    """The partition is being taken away while one slice is published and one waits for the line."""

    class Declining(GatedWork):
        async def do(self, one: Slice) -> bool:
            if one.records[0].source.offset:
                self.declines = True
                return False
            one.routed()
            await self.gate.wait()
            return True

    work = bench.work = Declining()
    state = partition()
    bench.lanes.put(state.take(records(0, 6), 6, 0.0))
    await until(lambda: work.declines)
    await asyncio.sleep(0.01)
    assert bench.lanes.busy(state)
    work.gate.set()
    await asyncio.wait_for(bench.lanes.wait_idle(), 5)
    assert state.to_commit == 2
    assert bench.failures == []


async def test_a_slice_that_nobody_asked_to_break_off_and_that_is_ends_the_process(
    bench: Bench,
) -> None:
    class Broken(GatedWork):
        async def do(self, one: Slice) -> bool:
            raise asyncio.CancelledError

    bench.work = Broken()
    state = partition()
    bench.lanes.put(state.take(records(0, 2), 2, 0.0))
    await until(lambda: bool(bench.failures))
    assert state.to_commit is None


async def test_batches_that_wait_go_together_into_the_next_slice(bench: Bench) -> None:
    bench.most = 100
    state = partition()
    for start in range(5):
        bench.lanes.put(state.take(records(start, start + 1), start + 1, float(start)))
    bench.work.gate.set()
    await bench.lanes.wait_idle()
    assert [entry[2] for entry in bench.work.done] == [[0], [1, 2, 3, 4]]
    assert state.to_commit == 5
    assert bench.freed == [state] * 5


async def test_what_goes_together_is_no_larger_than_a_slice_may_be(bench: Bench) -> None:
    bench.most = 100
    state = partition()
    for offset in range(4):
        one = record(offset, b"x" * (SLICE_BYTES // 2 - 1))
        bench.lanes.put(state.take([one], offset + 1, 0.0))
    bench.work.gate.set()
    await bench.lanes.wait_idle()
    assert [entry[2] for entry in bench.work.done] == [[0], [1, 2], [3]]


async def test_once_a_slice_is_routed_the_next_is_handed_in_and_no_more(bench: Bench) -> None:
    state = partition()
    bench.lanes.put(state.take(records(0, 6), 6, 0.0))
    await until(lambda: len(bench.work.begun) == 1)
    for _ in range(2):  # the second is routed too, and the first not published yet
        state.under_way[-1].routed()
        await asyncio.sleep(0.01)
    assert [entry[2] for entry in bench.work.begun] == [[0, 1], [2, 3]]
    assert [one.records[0].source.offset for one in state.under_way] == [0, 2]
    assert state.to_commit is None
    bench.work.gate.set()
    await bench.lanes.wait_idle()
    assert [entry[2] for entry in bench.work.done] == [[0, 1], [2, 3], [4, 5]]
    assert state.to_commit == 6


async def test_a_slice_that_overtakes_another_is_the_end_and_commits_nothing(bench: Bench) -> None:
    """Its offset stands for what is before it too."""
    state = partition()
    held = asyncio.Event()

    class Overtaking(GatedWork):
        async def do(self, one: Slice) -> bool:
            if not one.records[0].source.offset:
                one.routed()
                await held.wait()
            return True

    bench.work = Overtaking()
    bench.lanes.put(state.take(records(0, 4), 4, 0.0))
    await until(lambda: bool(bench.failures))
    assert "overtook" in str(bench.failures[0])
    assert state.to_commit is None
    held.set()


@given(
    sizes=st.lists(st.integers(1, 5), min_size=1, max_size=8),
    most=st.integers(1, 7),
    turns=st.lists(st.booleans(), max_size=40),
)
async def test_every_record_is_done_once_in_order_however_it_comes(
    sizes: list[int], most: int, turns: list[bool]
) -> None:
    """A batch comes at each true turn, a slice may be done at each false one."""
    bench = Bench()
    bench.most = most
    state = partition()
    start = 0
    waiting = list(sizes)
    for comes in [*turns, *[True] * len(sizes)]:
        if comes and waiting:
            stop = start + waiting.pop(0)
            bench.lanes.put(state.take(records(start, stop), stop, 0.0))
            start = stop
        elif not comes:
            bench.work.gate.set()
            await asyncio.sleep(0)
            bench.work.gate.clear()
    bench.work.gate.set()
    await bench.lanes.wait_idle()
    assert [n for entry in bench.work.done for n in entry[2]] == list(range(start))
    assert state.to_commit == start
    assert all(len(entry[2]) <= most for entry in bench.work.done)
    bench.lanes.close()
