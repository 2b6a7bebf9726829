"""What would otherwise stop in silence, and a lag that moves while the stream is stuck."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka.errors import GroupAuthorizationFailedError, KafkaConnectionError

from router.errors import StreamError
from router.ops.clock import SystemClock
from router.ops.health import Health
from router.ops.metrics import Metrics
from router.settings import Settings
from router.stream import watch as watching
from router.stream.partition import TopicPartition
from router.stream.runtime import Runtime
from router.stream.watch import refresh_lag, watch
from tests.stream.fakes import CHAT, partition, records


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
    runtime.lanes = cast(Any, SimpleNamespace(busy=lambda partition: False))
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
