"""What is asked for, and what becomes of an answer that comes late."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import TopicAuthorizationFailedError

from router.errors import StreamError
from router.stream.partition import FEW_BYTES, TopicPartition
from router.stream.reader import Fetched, Gone
from tests.stream.consumer.bench import Bench
from tests.stream.fakes import CHAT, until


async def test_a_fetch_of_before_a_seek_is_dropped_and_read_again(bench: Bench) -> None:
    await bench.take_over()
    await bench.deliver(0, 2, sequence=999)
    assert bench.delivered == []
    assert bench.thread.moves == [(CHAT, 0)]
    await bench.deliver(0, 2)
    assert len(bench.delivered) == 1


async def test_a_late_fetch_does_not_repeat_or_skip_what_is_out(bench: Bench) -> None:
    await bench.take_over()
    await bench.deliver(0, 4)
    bench.work.gate.set()
    await bench.runtime.lanes.wait_idle()
    await bench.deliver(0, 4, sequence=999)
    assert bench.thread.moves == [(CHAT, 4)]


async def test_a_late_fetch_goes_back_to_what_is_out_and_not_begun(bench: Bench) -> None:
    """The window: a batch lies in Faust's queue. The seek makes it stale, so it is read again."""
    in_the_queue: list[Any] = []

    async def hold(message: Any) -> None:
        in_the_queue.append(message)

    bench.consumer.callback = hold
    bench.work.gate.set()
    await bench.take_over()
    await bench.deliver(0, 2)
    await bench.deliver(2, 4, sequence=999)
    assert bench.thread.moves == [(CHAT, 0)]
    await bench.deliver(0, 4)
    for message in in_the_queue:
        for batch in message.batches:
            bench.runtime.lanes.put(batch)
    await bench.runtime.lanes.wait_idle()
    assert [entry[2] for entry in bench.work.done] == [[0, 1], [2, 3]]
    assert await bench.consumer.commit()
    assert bench.thread.group == {CHAT: 4}


async def test_what_comes_while_the_flow_is_stopped_is_dropped(bench: Bench) -> None:
    await bench.take_over()
    bench.consumer.stop_flow()
    await bench.deliver(0, 2)
    assert bench.delivered == []
    assert not bench.consumer.partitions[CHAT].out


async def test_no_more_is_asked_for_than_two_batches_a_partition(bench: Bench) -> None:
    await bench.take_over()
    fetcher = SimpleNamespace(should_stop=False)
    draining = asyncio.ensure_future(bench.consumer._drain_messages(fetcher))
    for start in (0, 2):
        large = bench.fetched(start, start + 2, value=b"x" * FEW_BYTES)
        bench.thread.results.put_nowait({CHAT: large})
    await until(lambda: len(bench.delivered) == 2)
    await asyncio.sleep(0.02)
    assert len(bench.thread.asked) == 2
    bench.work.gate.set()  # one is finished: there is room again
    await until(lambda: len(bench.thread.asked) == 3)
    assert all(bench.thread.asked)
    draining.cancel()
    await asyncio.gather(draining, return_exceptions=True)


async def test_records_that_are_on_their_way_when_the_fetch_loop_is_cancelled_come_later(
    bench: Bench,
) -> None:
    """The window: the thread has taken them, and nobody waits for them any more."""
    await bench.take_over()
    log = [bench.fetched(0, 2)]
    on_the_way, arrive = asyncio.Event(), asyncio.Event()

    async def fetch(wanted: object, wait: float) -> dict[TopicPartition, Fetched | Gone]:
        if not log:
            await asyncio.Event().wait()
        taken = log.pop()
        on_the_way.set()
        await arrive.wait()
        return {CHAT: taken}

    bench.thread.fetch = fetch  # type: ignore[method-assign]  # this thread alone is slow
    fetcher = SimpleNamespace(should_stop=False)
    first = asyncio.ensure_future(bench.consumer._drain_messages(fetcher))
    await asyncio.wait_for(on_the_way.wait(), 5)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    arrive.set()
    second = asyncio.ensure_future(bench.consumer._drain_messages(fetcher))
    await until(lambda: bool(bench.delivered))
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    assert bench.delivered[0].batches[0].records[0].source.offset == 0


async def test_a_fetch_that_fails_ends_the_process(bench: Bench) -> None:
    await bench.take_over()

    async def refuse(wanted: object, wait: float) -> dict[TopicPartition, Fetched | Gone]:
        raise TopicAuthorizationFailedError("no")

    bench.thread.fetch = refuse  # type: ignore[method-assign]  # this thread alone is to refuse
    with pytest.raises(TopicAuthorizationFailedError):
        await bench.consumer._drain_messages(SimpleNamespace(should_stop=False))
    assert isinstance(bench.runtime.failed.exception(), StreamError)
