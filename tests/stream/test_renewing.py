"""A producer that a broker has refused is replaced, once, whoever asks for it."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from router.ops.clock import SystemClock
from router.ops.health import Health
from router.ops.metrics import Metrics
from router.settings import Settings
from router.stream.app import consumer_of, make_app, producer_of
from router.stream.capabilities import Capabilities
from router.stream.producers import BatchProducer
from router.stream.runtime import Runtime
from tests.stream.fakes import until


class Client:
    """Notes whether it runs."""

    def __init__(self) -> None:
        self.steps: list[str] = []

    async def start(self) -> None:
        await asyncio.sleep(0)
        self.steps.append("start")

    async def stop(self) -> None:
        self.steps.append("stop")


@pytest.fixture
async def producer(monkeypatch: pytest.MonkeyPatch) -> BatchProducer:
    settings = Settings()
    runtime = Runtime(settings, SystemClock(), Metrics(), Health())
    app = make_app(runtime, settings.topics(), Capabilities(True, False))
    cast(Any, consumer_of(app)._thread).thread_loop.close()
    producer = producer_of(app)
    monkeypatch.setattr(producer, "_new_producer", Client)
    producer._producer = Client()
    return producer


async def test_two_partitions_that_ask_at_once_get_the_same_fresh_one(
    producer: BatchProducer,
) -> None:
    broken = producer.current
    await asyncio.gather(producer.renew(broken), producer.renew(broken))
    fresh: Any = producer.current
    assert fresh is not broken
    assert fresh.steps == ["start"]
    stopped: Any = broken
    await until(lambda: stopped.steps == ["stop"])
