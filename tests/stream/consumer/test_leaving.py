"""Partitions are taken away, or the worker stops: what is in flight is finished first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import pytest

from router.errors import DrainTimeout, StreamError
from router.stream.app import producer_of
from router.stream.delivery import AtLeastOnce
from router.stream.partition import TopicPartition
from tests.stream.consumer.bench import Bench
from tests.stream.fakes import CHAT, until


async def test_emptying_finishes_the_slice_in_flight_commits_it_and_drops_the_rest(
    bench: Bench,
) -> None:
    await bench.take_over()
    await bench.deliver(0, 6)
    await bench.deliver(6, 8)
    await until(lambda: bool(bench.work.begun))
    emptying = asyncio.ensure_future(bench.consumer.wait_empty())
    await asyncio.sleep(0.01)
    assert not emptying.done()
    bench.work.gate.set()
    await emptying
    assert [entry[2] for entry in bench.work.done] == [[0, 1]]
    assert bench.thread.group == {CHAT: 2}


@pytest.mark.parametrize(("stopping", "error"), [(True, DrainTimeout), (False, StreamError)])
async def test_a_slice_that_never_ends_does_not_hold_up_leaving_for_ever(
    bench: Bench, stopping: bool, error: type[Exception]
) -> None:
    await bench.take_over()
    await bench.deliver(0, 2)
    await until(lambda: bool(bench.work.begun))
    bench.consumer.stopping = stopping
    await asyncio.wait_for(bench.consumer.wait_empty(), 5)
    assert type(bench.runtime.failed.exception()) is error
    assert bench.thread.group == {}


Leave = Callable[[], Awaitable[Any]]


def ways_out(bench: Bench) -> dict[str, Leave]:
    """Faust's own side of a revocation stops the flow and waits until the consumer is empty."""

    async def of_faust(revoked: object) -> None:
        bench.consumer.stop_flow()
        await bench.consumer.wait_empty()

    bench.consumer._on_partitions_revoked = of_faust
    return {
        "revoked": lambda: bench.consumer.on_partitions_revoked({CHAT}),
        "stopped": bench.consumer.on_stop,
    }


@pytest.mark.parametrize("way", ["revoked", "stopped"])
async def test_the_producers_go_after_the_slice_in_flight_and_nothing_is_begun_after_it(
    bench: Bench, way: str
) -> None:
    gone: list[tuple[list[TopicPartition], list[Any]]] = []

    class Noting(AtLeastOnce):
        async def revoked(self, partitions: Iterable[TopicPartition]) -> None:
            gone.append((list(partitions), list(bench.work.done)))

    bench.runtime.delivery = Noting(producer_of(bench.app), 5)
    await bench.take_over()
    await bench.deliver(0, 4)
    await bench.deliver(4, 6)
    await until(lambda: bool(bench.work.begun))
    state, late = bench.consumer.partitions[CHAT], bench.delivered[1].batches[0]
    leaving = asyncio.ensure_future(ways_out(bench)[way]())
    await asyncio.sleep(0.01)
    assert gone == [], "the slice in flight still needs its producer"
    bench.work.gate.set()
    await leaving
    assert gone == [([CHAT], [(*CHAT, [0, 1])])]
    assert bench.thread.group == {CHAT: 2}
    assert bench.consumer.partitions == {}
    assert not state.may_fetch
    bench.runtime.lanes.put(late)
    await asyncio.sleep(0.01)
    assert bench.work.begun == [(*CHAT, [0, 1])]


async def test_a_rebalance_during_a_stop_waits_for_the_slice_in_flight_too(bench: Bench) -> None:
    """Faust, which is stopping, closes its consumer at once."""

    async def of_faust(revoked: object) -> None:
        bench.consumer.stop_flow()

    bench.consumer._on_partitions_revoked = of_faust
    await bench.take_over()
    await bench.deliver(0, 4)
    await until(lambda: bool(bench.work.begun))
    bench.consumer.stopping = True
    leaving = asyncio.ensure_future(bench.consumer.wait_empty())
    revoking = asyncio.ensure_future(bench.consumer.on_partitions_revoked({CHAT}))
    await asyncio.sleep(0.01)
    bench.work.gate.set()
    await asyncio.wait_for(asyncio.gather(leaving, revoking), 5)
    assert bench.thread.group == {CHAT: 2}
    assert not bench.runtime.failed.done()


async def test_what_is_taken_away_is_closed_at_once_and_the_worker_not_ready(bench: Bench) -> None:
    """Faust's side comes to its wait some time later; until then a slice could still begin."""
    await bench.take_over()
    state = bench.consumer.partitions[CHAT]
    seen: list[tuple[bool, bool]] = []

    async def of_faust(revoked: object) -> None:
        seen.append((state.may_fetch, bench.runtime.health.ready()[0]))

    bench.consumer._on_partitions_revoked = of_faust
    await bench.consumer.on_partitions_revoked({CHAT})
    assert seen == [(False, False)]
