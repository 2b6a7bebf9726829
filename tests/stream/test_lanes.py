"""One ordered task for each partition."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from router.stream.lanes import Lane, Lanes
from router.stream.partition import TopicPartition
from tests.stream.fakes import GatedWork, partition, records, until


class Bench:
    """Lanes around gated work, and what they told."""

    def __init__(self) -> None:
        self.work = GatedWork()
        self.failures: list[BaseException] = []
        self.freed = 0
        self.lanes = Lanes(lambda: Lane(self.work, lambda: 2, self._freed, self.failures.append))

    def _freed(self) -> None:
        self.freed += 1


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
    assert [entry[2] for entry in bench.work.done] == [[0, 1], [2], [3, 4]]
    assert state.to_commit == 5
    assert bench.freed == 2


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
    assert bench.freed == 0


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
