"""What would otherwise stop in silence, and a lag that moves while the stream is stuck."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka.errors import GroupAuthorizationFailedError, KafkaConnectionError

from router.errors import StreamError, StuckError
from router.ops.clock import SystemClock
from router.ops.health import Health
from router.ops.metrics import Metrics
from router.settings import Settings
from router.stream import watch as watching
from router.stream.partition import TopicPartition
from router.stream.runtime import Runtime
from router.stream.watch import refresh_lag, watch
from tests.stream.fakes import CHAT, Hands, partition, records, slice_of


class FakeConsumer:
    def __init__(self) -> None:
        self.error: Exception | None = None
        self.end = 5

    def check(self) -> None:
        if self.error is not None:
            raise self.error

    async def ends(self, tps: Iterable[TopicPartition]) -> dict[TopicPartition, tuple[int, int]]:
        if self.error is not None:
            raise self.error
        return dict.fromkeys(tps, (self.end, 2))


@pytest.fixture
async def runtime(monkeypatch: pytest.MonkeyPatch) -> Runtime:
    monkeypatch.setattr(watching, "_TURN", 0.001)
    runtime = Runtime(Settings(), SystemClock(), Metrics(), Health())
    runtime.lanes = cast(Any, SimpleNamespace(busy=lambda partition: False, close=list))
    return runtime


def app(consumer: FakeConsumer, *, crashed: bool = False) -> Any:
    return SimpleNamespace(consumer=consumer, crashed=crashed, crash_reason=ValueError("why"))


async def test_a_crashed_app_is_the_end(runtime: Runtime) -> None:
    with pytest.raises(StreamError, match="crashed"):
        await watch(app(FakeConsumer(), crashed=True), runtime)


async def test_a_group_that_cannot_be_kept_is_the_end(runtime: Runtime) -> None:
    consumer = FakeConsumer()
    consumer.error = GroupAuthorizationFailedError("router")
    with pytest.raises(StreamError, match="GroupAuthorizationFailedError"):
        await watch(app(consumer), runtime)


async def test_a_batch_that_never_reached_its_task_is_the_end(runtime: Runtime) -> None:
    state = partition()
    state.take(records(0, 2), 2, 0.0)
    runtime.partitions = {CHAT: state}
    with pytest.raises(StreamError, match="not handled"):
        await watch(app(FakeConsumer()), runtime)


async def test_records_that_wait_undecided_are_told_of_and_then_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """First not ready, then not alive and gone, with what it was doing; a stop waits for none."""
    monkeypatch.setattr(watching, "_TURN", 0.001)
    clock = Hands()
    runtime = Runtime(Settings(watchdog=10), clock, Metrics(), Health(clock))
    runtime.lanes = cast(Any, SimpleNamespace(busy=lambda partition: True, close=list))
    runtime.health.set_ready()
    state = partition()
    batch = state.take(records(0, 4), 4, 0.0)
    state.end = 5
    state.under_way.append(slice_of(records(0, 2), state))
    state.under_way[0].doing = "routing"
    runtime.partitions = {CHAT: state}
    looking = asyncio.ensure_future(watch(app(FakeConsumer()), runtime))
    await turn(clock, 4, 3)
    assert runtime.health.ready() == (True, "ready")
    await turn(clock, 7, 1)
    assert "5 records wait on messages.chat/0" in runtime.health.ready()[1]
    assert runtime.health.alive()[0]

    state.ack(batch, 2)
    await turn(clock, 1, 1)
    assert runtime.health.ready() == (True, "ready"), "decided again"
    with pytest.raises(StuckError, match="it is routing a slice, from offset 2 on"):
        await asyncio.gather(looking, turn(clock, 7, 6))
    assert not runtime.health.alive()[0]
    assert isinstance(runtime.failed.exception(), StuckError)
    assert StuckError.exit_code == 7


async def turn(clock: Hands, seconds: float, times: int) -> None:
    """Turn the clock, and let the watch look each time."""
    for _ in range(times):
        clock.time += seconds
        await asyncio.sleep(0.02)


async def test_the_lag_of_a_stuck_partition_keeps_growing(runtime: Runtime) -> None:
    state = partition()
    state.take(records(0, 2), 2, 0.0)
    runtime.partitions = {CHAT: state}
    consumer = FakeConsumer()
    lags = []
    for consumer.end in (5, 50):
        await refresh_lag(cast(Any, consumer), runtime)
        lags += [(lag.records, lag.waiting_since) for lag in runtime.lag()]
    assert lags == [(5, 1000.0), (50, 1000.0)]


async def test_records_that_are_not_fetched_count_from_when_they_were_first_seen(
    runtime: Runtime,
) -> None:
    runtime.partitions = {CHAT: partition()}
    consumer = FakeConsumer()
    await refresh_lag(cast(Any, consumer), runtime)
    (first,) = runtime.lag()
    await refresh_lag(cast(Any, consumer), runtime)
    (second,) = runtime.lag()
    assert first.records == 3
    assert first.waiting_since == second.waiting_since is not None
    consumer.end = 2  # only markers are left
    await refresh_lag(cast(Any, consumer), runtime)
    assert [(lag.records, lag.waiting_since) for lag in runtime.lag()] == [(0, None)]


async def test_a_broker_that_does_not_say_changes_nothing(runtime: Runtime) -> None:
    state = partition()
    state.end = 9
    runtime.partitions = {CHAT: state}
    consumer = FakeConsumer()
    consumer.error = KafkaConnectionError("gone")
    await refresh_lag(cast(Any, consumer), runtime)
    assert [lag.records for lag in runtime.lag()] == [9]
