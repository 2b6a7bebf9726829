"""A slice's way: routed, published, and only then counted."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from aiokafka.errors import KafkaConnectionError
from prometheus_client import CollectorRegistry

from router.core.line import Outcome
from router.core.record import InRecord
from router.core.topics import Topics
from router.errors import StreamError
from router.ops.clock import SystemClock
from router.ops.health import Health
from router.ops.metrics import Metrics
from router.settings import Settings
from router.stream.delivery import AtLeastOnce, Parcel
from router.stream.runtime import Runtime
from router.stream.work import Routing, RoutingLine
from tests.stream.echo import EchoLine
from tests.stream.fakes import FakeProducer, FakeProducers, partition, records, slice_of

TOPICS = Topics()


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


def routing(executor: ThreadPoolExecutor, line: RoutingLine, producer: FakeProducer) -> Routing:
    runtime = Runtime(Settings(), SystemClock(), Metrics(), Health())
    runtime.delivery = AtLeastOnce(FakeProducers(lambda: producer), 5)
    return Routing(line, runtime, TOPICS, executor)


def counted(registry: CollectorRegistry) -> float | None:
    return registry.get_sample_value("router_consumed_total", {"channel": "chat"})


async def test_a_slice_is_counted_after_its_publication_and_not_before(
    executor: ThreadPoolExecutor,
) -> None:
    producer = FakeProducer()
    producer.held = asyncio.Event()
    work = routing(executor, EchoLine(TOPICS), producer)
    doing = asyncio.ensure_future(work.do(slice_of(records(0, 3))))
    while not producer.sends:  # noqa: ASYNC110  # the fake tells nobody
        await asyncio.sleep(0.001)
    registry = work.runtime.metrics.registry
    assert counted(registry) == 0
    producer.held.set()
    await doing
    assert counted(registry) == 3
    labels = {"queue": "router.review", "reason": "fallback", "channel": "chat"}
    assert registry.get_sample_value("router_decisions_total", labels) == 3
    stages = ("queue_wait", "publish")
    for stage in stages:
        name = "router_stage_seconds_count"
        assert registry.get_sample_value(name, {"stage": stage}) == 1


async def test_what_is_not_published_is_not_counted(executor: ThreadPoolExecutor) -> None:
    work = routing(executor, EchoLine(TOPICS), FakeProducer(lambda *_: KafkaConnectionError("no")))
    with pytest.raises(StreamError):
        await work.do(slice_of(records(0, 3)))
    assert counted(work.runtime.metrics.registry) == 0


async def test_a_line_that_leaves_a_record_out_publishes_nothing(
    executor: ThreadPoolExecutor,
) -> None:
    class Forgetful(EchoLine):
        def route(self, records: Sequence[InRecord], fetched_at: float) -> list[Outcome]:
            return super().route(records, fetched_at)[:-1]

    producer = FakeProducer()
    work = routing(executor, Forgetful(TOPICS), producer)
    with pytest.raises(StreamError, match="one outcome for each record"):
        await work.do(slice_of(records(0, 3)))
    assert producer.log == []


async def test_a_slice_in_flight_is_watched_and_a_finished_one_is_not(
    executor: ThreadPoolExecutor,
) -> None:
    class Later(SystemClock):
        """Ten minutes and more after every look."""

        at = 0.0

        def monotonic(self) -> float:
            return self.at

    clock = Later()
    producer = FakeProducer()
    producer.held = asyncio.Event()
    work = routing(executor, EchoLine(TOPICS), producer)
    work.runtime.health = Health(clock)
    doing = asyncio.ensure_future(work.do(slice_of(records(0, 1))))
    while not producer.sends:  # noqa: ASYNC110  # the fake tells nobody
        await asyncio.sleep(0.001)
    clock.at = 700.0
    assert work.runtime.health.alive() == (
        False,
        "no sign of life from the batch of messages.chat/0 for 700 s",
    )
    producer.held.set()
    await doing
    assert work.runtime.health.alive()[0]


async def test_a_slice_in_line_when_its_partition_is_taken_away_is_left_to_the_next_owner(
    executor: ThreadPoolExecutor,
) -> None:
    producer = FakeProducer()
    work = routing(executor, EchoLine(TOPICS), producer)
    turn = threading.Event()
    executor.submit(turn.wait)  # another partition's slice has the thread
    state = partition()
    doing = asyncio.ensure_future(work.do(slice_of(records(0, 3), state)))
    await asyncio.sleep(0)
    state.closing = True
    turn.set()
    assert await doing is False
    assert producer.log == []
    assert counted(work.runtime.metrics.registry) == 0


async def test_the_next_offset_is_the_one_after_the_last_record_whatever_holes_there_are(
    executor: ThreadPoolExecutor,
) -> None:
    told: list[int] = []

    class Noting(AtLeastOnce):
        async def publish(self, parcels: Sequence[Parcel]) -> None:
            told.extend(one.next_offset for one in parcels)

    producers = FakeProducers()
    work = routing(executor, EchoLine(TOPICS), producers.current)
    work.runtime.delivery = Noting(producers, 5)
    assert await work.do(slice_of([*records(0, 2), *records(7, 9)]))
    assert told == [9]
