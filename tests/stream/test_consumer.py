"""The batch consumer between Faust and the lanes, with the broker's side played."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka.errors import TopicAuthorizationFailedError

from router.errors import DrainTimeout, ExpiredError, StreamError
from router.ops.clock import SystemClock
from router.ops.health import Health
from router.ops.metrics import Metrics
from router.settings import Settings
from router.stream.app import StreamApp, consumer_of, make_app, make_lanes, producer_of
from router.stream.consumer import BatchConsumer
from router.stream.delivery import AtLeastOnce
from router.stream.partition import TopicPartition
from router.stream.reader import Fetched, Gone, Placed
from router.stream.runtime import Runtime
from tests.stream.fakes import CHAT, GatedWork, partition, records, until

SETTINGS = Settings(batch_records=2, drain_timeout=1, request_timeout=5, session_timeout=6)


class FakeThread:
    """A broker with one log for each assigned partition, and a group."""

    def __init__(self, tps: Iterable[TopicPartition]) -> None:
        self.assigned = set(tps)
        self.group: dict[TopicPartition, int] = {}
        self.positions: dict[TopicPartition, int] = {}
        self.moves: list[tuple[TopicPartition, int]] = []
        self.commit_error: Exception | None = None
        self.place_error: BaseException | None = None
        self.results: asyncio.Queue[dict[TopicPartition, Fetched | Gone]] = asyncio.Queue()
        self.asked: list[Mapping[TopicPartition, int]] = []
        self.first = 0
        self._sequence = 0

    async def place(self, tps: Iterable[TopicPartition]) -> dict[TopicPartition, Placed]:
        if self.place_error is not None:
            raise self.place_error
        placed = {}
        for tp in tps:
            self._sequence += 1
            known = self.group.get(tp)
            placed[tp] = Placed(self._sequence, max(known or 0, self.first), known)
        return placed

    async def reposition(self, tp: TopicPartition, position: int) -> int:
        self._sequence += 1
        self.moves.append((tp, position))
        return self._sequence

    async def commit_offsets(self, offsets: Mapping[TopicPartition, int], limit: float) -> bool:
        if self.commit_error is not None:
            raise self.commit_error
        self.group |= offsets
        return True

    async def fetch(
        self, wanted: Mapping[TopicPartition, int], wait: float
    ) -> dict[TopicPartition, Fetched | Gone]:
        self.asked.append(dict(wanted))
        return await self.results.get()

    def wake(self) -> None:
        """A real fetch would return."""

    def assignment(self) -> set[TopicPartition]:
        return self.assigned


@dataclass
class Bench:
    app: StreamApp
    runtime: Runtime
    consumer: BatchConsumer
    thread: FakeThread
    work: GatedWork
    delivered: list[Any]

    async def take_over(self) -> None:
        await self.consumer.perform_seek()
        self.consumer.resume_flow()

    def fetched(self, start: int, stop: int, sequence: int | None = None) -> Fetched:
        now = self.consumer.partitions[CHAT].sequence
        raw = [
            SimpleNamespace(topic=CHAT.topic, partition=CHAT.partition, offset=one.source.offset,
                            key=b"k", value=b"{}", headers=(), timestamp=1000)
            for one in records(start, stop)
        ]  # fmt: skip
        return Fetched(sequence or now, raw, stop, stop)

    async def deliver(self, start: int, stop: int, sequence: int | None = None) -> None:
        await self.consumer._deliver(CHAT, self.fetched(start, stop, sequence))


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    runtime = Runtime(SETTINGS, SystemClock(), Metrics(), Health())
    app = make_app(runtime, SETTINGS.topics(), idempotent=False)
    runtime.delivery = AtLeastOnce(producer_of(app), 5)
    work = GatedWork()
    runtime.lanes = make_lanes(runtime, app, work)
    consumer = consumer_of(app)
    consumer._thread.thread_loop.close()
    thread = FakeThread([CHAT])
    consumer._thread = cast(Any, thread)
    delivered: list[Any] = []

    async def callback(message: Any) -> None:
        delivered.append(message)
        runtime.lanes.put(message.batch)

    consumer.callback = callback
    yield Bench(app, runtime, consumer, thread, work, delivered)
    runtime.lanes.close()
    if runtime.failed.done():
        runtime.failed.exception()
    await asyncio.sleep(0)


async def test_the_offset_is_committed_only_after_the_publication(bench: Bench) -> None:
    await bench.take_over()
    await bench.deliver(0, 2)
    await until(lambda: bool(bench.work.begun))
    assert not await bench.consumer.commit()
    assert bench.thread.group == {}
    bench.work.gate.set()
    await bench.runtime.lanes.wait_idle()
    assert await bench.consumer.commit()
    assert bench.thread.group == {CHAT: 2}


async def test_faust_acking_a_message_commits_nothing(bench: Bench) -> None:
    await bench.take_over()
    await bench.deliver(0, 2)
    message = bench.delivered[0]
    assert not bench.consumer.ack(message)
    assert message.acked
    assert not await bench.consumer.commit()
    assert bench.thread.group == {}


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
        bench.thread.results.put_nowait({CHAT: bench.fetched(start, start + 2)})
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
    assert bench.delivered[0].batch.records[0].source.offset == 0


async def test_a_fetch_that_fails_ends_the_process(bench: Bench) -> None:
    await bench.take_over()

    async def refuse(wanted: object, wait: float) -> dict[TopicPartition, Fetched | Gone]:
        raise TopicAuthorizationFailedError("no")

    bench.thread.fetch = refuse  # type: ignore[method-assign]  # this thread alone is to refuse
    with pytest.raises(TopicAuthorizationFailedError):
        await bench.consumer._drain_messages(SimpleNamespace(should_stop=False))
    assert isinstance(bench.runtime.failed.exception(), StreamError)


async def test_the_delivery_is_ready_before_the_groups_offsets_are_read(bench: Bench) -> None:
    """Reading first, an exactly-once owner would repeat what its predecessor is committing."""

    class Late(AtLeastOnce):
        async def assigned(self, partitions: Iterable[TopicPartition]) -> None:
            await asyncio.sleep(0.01)  # the former owner commits its last transaction meanwhile
            bench.thread.group[CHAT] = 7

    bench.runtime.delivery = Late(producer_of(bench.app), 5)
    await bench.take_over()
    assert bench.consumer.partitions[CHAT].position == 7


async def test_a_take_over_that_fails_ends_the_process(bench: Bench) -> None:
    bench.thread.place_error = TopicAuthorizationFailedError("no")
    with pytest.raises(TopicAuthorizationFailedError):
        await bench.consumer.perform_seek()
    assert isinstance(bench.runtime.failed.exception(), StreamError)


async def test_a_refused_commit_ends_the_process(bench: Bench) -> None:
    await bench.take_over()
    bench.work.gate.set()
    await bench.deliver(0, 2)
    await bench.runtime.lanes.wait_idle()
    bench.thread.commit_error = TopicAuthorizationFailedError("no")
    assert not await bench.consumer.commit()
    assert isinstance(bench.runtime.failed.exception(), StreamError)


async def test_a_failed_slice_ends_the_process_and_is_never_committed(bench: Bench) -> None:
    await bench.take_over()
    bench.work.error = RuntimeError("broken")
    bench.work.gate.set()
    await bench.deliver(0, 4)
    await until(bench.runtime.failed.done)
    assert isinstance(bench.runtime.failed.exception(), StreamError)
    other = partition(TopicPartition("messages.chat", 1))
    bench.runtime.lanes.put(other.take(records(0, 1, other.tp), 1, 0.0))
    await bench.deliver(4, 6)
    await asyncio.sleep(0.01)
    assert len(bench.work.begun) == 1
    assert not await bench.consumer.commit()
    assert bench.thread.group == {}


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


async def test_readiness_follows_the_assignment_even_an_empty_one(bench: Bench) -> None:
    bench.thread.assigned = set()
    assert not bench.runtime.health.ready()[0]
    bench.consumer.resume_flow()
    assert bench.runtime.health.ready()[0]
    bench.runtime.rebalancing()
    assert bench.runtime.health.ready() == (False, "rebalancing")


async def test_lag_is_told_for_what_is_assigned_and_keeps_its_age_while_stuck(
    bench: Bench,
) -> None:
    await bench.take_over()
    await bench.deliver(0, 4)
    await until(lambda: bool(bench.work.begun))
    bench.consumer.partitions[CHAT].end = 10
    (lag,) = bench.runtime.lag()
    assert (lag.topic, lag.partition, lag.records, lag.waiting_since) == (*CHAT, 10, 1.0)
    bench.runtime.rebalancing()
    assert list(bench.runtime.lag()) == []


def gone(bench: Bench) -> Gone:
    """Offset 2 was to be read next; the log begins at 7."""
    return Gone(bench.consumer.partitions[CHAT].sequence, 2, first=7, end=9)


async def test_where_records_are_gone_what_is_in_hand_is_committed_and_then_the_worker_stops(
    bench: Bench,
) -> None:
    """What is in hand is nowhere else: a stop before that would lose it too."""
    await bench.take_over()
    await bench.deliver(0, 2)
    skipping = asyncio.ensure_future(bench.consumer._deliver(CHAT, gone(bench)))
    await until(lambda: bool(bench.work.begun))
    assert not skipping.done()
    bench.work.gate.set()
    with pytest.raises(ExpiredError, match=r"5 records of messages\.chat/0 are gone"):
        await skipping
    assert bench.thread.group == {CHAT: 2}


async def test_told_to_continue_it_goes_on_with_what_is_left(bench: Bench) -> None:
    bench.runtime.settings = replace(SETTINGS, on_expired="continue")
    bench.work.gate.set()
    await bench.take_over()
    await bench.deliver(0, 2)
    await bench.consumer._deliver(CHAT, gone(bench))
    assert bench.thread.moves == [(CHAT, 7)]
    await bench.deliver(7, 9)
    await bench.runtime.lanes.wait_idle()
    assert await bench.consumer.commit()
    assert bench.thread.group == {CHAT: 9}


async def test_an_offset_that_expired_before_the_assignment_is_the_end(bench: Bench) -> None:
    bench.thread.first = 7
    bench.thread.group[CHAT] = 2
    with pytest.raises(ExpiredError, match="5 records"):
        await bench.take_over()
    assert isinstance(bench.runtime.failed.exception(), ExpiredError)
    assert bench.consumer.partitions == {}
