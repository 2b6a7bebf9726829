"""A rolling restart of three workers with static membership, and how each kind leaves its group."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from itertools import pairwise
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from tests.kafka import Cluster
from tests.stream.bank import Bank, Worker, eventually, sources

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

PARTITIONS = 6
BATCH = 20
SESSION = 30.0
IDLE_SECONDS = SESSION + 10
"""The bound. A static member that is back within its session finds its partitions where it left
them, after two or three seconds on a machine that is not busy; of one that is not back they are
given to others then, within a few seconds more."""

SETTINGS = {
    "ROUTER_SESSION_TIMEOUT": f"{SESSION:g}",
    "ROUTER_BATCH_RECORDS": str(BATCH),
    "ECHO_SECONDS": "0.02",
}


@pytest.fixture
async def bank(kafka: Cluster, topic_prefix: str, group: str) -> Bank:
    bank = Bank(kafka.bootstrap, topic_prefix, group)
    await bank.open(partitions=PARTITIONS)
    return bank


@asynccontextmanager
async def emitting(bank: Bank) -> AsyncIterator[None]:
    """Twenty records a second to every partition of the chat topic, for as long as the block."""
    producer = AIOKafkaProducer(bootstrap_servers=bank.bootstrap)
    await producer.start()

    async def emit() -> None:
        number = 0
        while True:
            for partition in range(PARTITIONS):
                await producer.send(bank.topics.chat, b"%d" % number, partition=partition)
            number += 1
            await asyncio.sleep(0.05)

    task = asyncio.ensure_future(emit())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await producer.stop()


@pytest.mark.parametrize("delivery", ["exactly-once", "at-least-once"])
async def test_a_rolling_restart_repeats_at_most_a_batch_and_leaves_no_partition_idle_for_long(
    bank: Bank, delivery: str
) -> None:
    settings = {**SETTINGS, "ROUTER_DELIVERY": delivery}
    names = [f"router-{n}" for n in range(3)]
    with ExitStack() as stack:

        def start(name: str) -> Worker:
            return stack.enter_context(bank.worker(ROUTER_INSTANCE=name, **settings))

        workers = {name: start(name) for name in names}
        await eventually(lambda: _shared(list(workers.values())), within=120)
        async with emitting(bank):
            await eventually(lambda: _all_work(list(workers.values())), within=120)
            for name in names:
                assert await asyncio.to_thread(workers[name].stop) == 0
                workers[name] = start(name)
                await asyncio.to_thread(workers[name].wait_for, "routed", 90.0)
        await bank.done(within=120)
        for worker in workers.values():
            assert worker.stop() == 0
    published = await bank.read(bank.topics.review)
    given = sum((await bank.ends()).values())
    seen = Counter(sources(published))
    assert len(seen) == given, "nothing is lost"
    repeated: Counter[str] = Counter()
    for source, times in seen.items():
        repeated[source.rpartition("/")[0]] += times - 1
    assert max(repeated.values()) <= (0 if delivery == "exactly-once" else BATCH)
    idle = longest_idle(published)
    assert len(idle) == PARTITIONS
    assert max(idle.values()) < IDLE_SECONDS, idle


async def _shared(workers: list[Worker]) -> bool:
    """Each has a share of both topics' partitions."""
    held = [joined[-1] for worker in workers if (joined := _joined(worker))]
    return [len(one["partitions"]) for one in held] == [2 * PARTITIONS // 3] * len(workers)


def _joined(worker: Worker) -> list[dict[str, Any]]:
    return [line for line in worker.log() if line["event"] in ("ready", "assigned")]


async def _all_work(workers: list[Worker]) -> bool:
    return all(worker.event("routed") for worker in workers)


def longest_idle(published: list[Any]) -> dict[str, float]:
    """Of each input partition the longest time between two outputs, in seconds."""
    times: defaultdict[str, list[float]] = defaultdict(list)
    for record in published:
        source = dict(record.headers)["source"].decode()
        times[source.rpartition("/")[0]].append(record.timestamp / 1000)
    gaps = {}
    for partition, at in times.items():
        at.sort()
        gaps[partition] = max(b - a for a, b in pairwise(at))
    return gaps


@pytest.mark.parametrize(("instance", "left"), [("", 0), ("router-0", 1)])
async def test_told_to_stop_a_dynamic_member_leaves_its_group_and_a_static_one_does_not(
    bank: Bank, instance: str, left: int
) -> None:
    with bank.worker(ROUTER_INSTANCE=instance, **SETTINGS) as worker:
        worker.wait_for("ready")
        assert await members(bank) == 1
        assert worker.stop() == 0
    assert await members(bank) == left


async def members(bank: Bank) -> int:
    """How many members the broker counts in the group."""
    async with bank.admin() as admin:
        (answer,) = await admin.describe_consumer_groups([bank.group])
    (group,) = answer.groups
    return len(group[5])
