"""Partitions are taken over in one order, and nothing of an earlier assignment goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from aiokafka.errors import IllegalStateError, TopicAuthorizationFailedError

from router.errors import ExpiredError, StreamError
from router.stream.app import producer_of
from router.stream.delivery import AtLeastOnce
from router.stream.partition import TopicPartition
from router.stream.reader import Placed
from tests.stream.consumer.bench import SETTINGS, Bench
from tests.stream.fakes import CHAT, until


async def test_the_delivery_is_ready_before_the_groups_offsets_are_read(bench: Bench) -> None:
    """Reading first, an exactly-once owner would repeat what its predecessor is committing."""

    class Late(AtLeastOnce):
        async def assigned(self, partitions: Iterable[TopicPartition]) -> None:
            await asyncio.sleep(0.01)  # the former owner commits its last transaction meanwhile
            bench.thread.group[CHAT] = 7

    bench.runtime.delivery = Late(producer_of(bench.app), 5)
    await bench.take_over()
    assert bench.consumer.partitions[CHAT].position == 7


@pytest.mark.parametrize("meanwhile", ["assigned", "place"])
async def test_what_is_taken_away_while_it_is_taken_over_is_nobodys_here(
    bench: Bench, meanwhile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faust tells of it only with the next assignment, and not at all where that is empty."""
    gone: list[list[TopicPartition]] = []

    async def of_faust(revoked: object) -> None:
        bench.consumer.stop_flow()

    class Overtaken(AtLeastOnce):
        async def assigned(self, partitions: Iterable[TopicPartition]) -> None:
            if meanwhile == "assigned":
                await bench.consumer.on_partitions_revoked({CHAT})

        async def revoked(self, partitions: Iterable[TopicPartition]) -> None:
            gone.append(list(partitions))

    place = bench.thread.place

    async def overtaken(tps: Iterable[TopicPartition]) -> dict[TopicPartition, Placed]:
        if meanwhile == "place":
            await bench.consumer.on_partitions_revoked({CHAT})
        return await place(tps)

    bench.consumer._on_partitions_revoked = of_faust
    bench.runtime.delivery = Overtaken(producer_of(bench.app), 5)
    monkeypatch.setattr(bench.thread, "place", overtaken)
    with pytest.raises(IllegalStateError):
        await bench.consumer.perform_seek()
    assert gone == [[CHAT], [CHAT]], "by the revocation, and what was started after it"
    assert bench.consumer.partitions == {}
    assert not bench.consumer.flow_active
    assert not bench.runtime.failed.done()


async def test_a_take_over_that_fails_ends_the_process(bench: Bench) -> None:
    bench.thread.place_error = TopicAuthorizationFailedError("no")
    with pytest.raises(TopicAuthorizationFailedError):
        await bench.consumer.perform_seek()
    assert isinstance(bench.runtime.failed.exception(), StreamError)


async def test_a_take_over_that_never_ends_ends_the_process(bench: Bench) -> None:
    """Faust's own limit would end its recovery in silence, and the worker would stand idle."""

    class Stuck(AtLeastOnce):
        async def assigned(self, partitions: Iterable[TopicPartition]) -> None:
            await asyncio.Event().wait()

    bench.runtime.delivery = Stuck(producer_of(bench.app), 5)
    bench.runtime.settings = replace(SETTINGS, request_timeout=0.05)
    taking_over = asyncio.ensure_future(bench.consumer.perform_seek())
    await until(bench.runtime.failed.done)
    assert isinstance(bench.runtime.failed.exception(), StreamError)
    with pytest.raises(TimeoutError):
        await taking_over
    assert bench.consumer.partitions == {}


async def test_an_offset_that_expired_before_the_assignment_is_the_end(bench: Bench) -> None:
    bench.thread.first = 7
    bench.thread.group[CHAT] = 2
    with pytest.raises(ExpiredError, match="5 records"):
        await bench.take_over()
    assert isinstance(bench.runtime.failed.exception(), ExpiredError)
    assert bench.consumer.partitions == {}


async def test_the_answer_of_an_earlier_assignment_is_recognised(bench: Bench) -> None:
    await bench.take_over()
    await bench.deliver(0, 2)
    await until(lambda: bool(bench.work.begun))
    earlier = bench.consumer.partitions[CHAT]
    await bench.take_over()
    bench.work.gate.set()
    await asyncio.sleep(0.01)
    assert bench.consumer.partitions[CHAT] is not earlier
    assert not await bench.consumer.commit()
    assert bench.thread.group == {}
    assert bench.work.done == []


async def test_a_batch_that_reaches_its_lane_after_the_next_take_over_is_not_begun(
    bench: Bench,
) -> None:
    """The window: it lies in Faust's queue, and its partition is taken away and comes back."""
    in_the_queue: list[Any] = []

    async def hold(message: Any) -> None:
        in_the_queue.append(message)

    bench.consumer.callback = hold
    bench.work.gate.set()
    await bench.take_over()
    await bench.deliver(0, 2)
    await bench.take_over()
    for batch in in_the_queue[0].batches:
        bench.runtime.lanes.put(batch)
    await bench.deliver(0, 2)
    for batch in in_the_queue[1].batches:
        bench.runtime.lanes.put(batch)
    await bench.runtime.lanes.wait_idle()
    await asyncio.sleep(0.01)
    assert bench.work.begun == [(*CHAT, [0, 1])]


async def test_readiness_follows_the_assignment_even_an_empty_one(bench: Bench) -> None:
    bench.thread.assigned = set()
    assert not bench.runtime.health.ready()[0]
    bench.consumer.resume_flow()
    assert bench.runtime.health.ready()[0]
    bench.runtime.rebalancing()
    assert bench.runtime.health.ready() == (False, "rebalancing")
