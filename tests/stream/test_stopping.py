"""A stop with a batch in flight: finished in order, or left at once; nothing is committed ahead."""

from __future__ import annotations

import signal
import time

import pytest

from tests.kafka import Cluster
from tests.stream.bank import Bank, sources

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

COUNT = 100
DRAIN = 15.0
either_delivery = pytest.mark.parametrize("delivery", ["exactly-once", "at-least-once"])


def settings(delivery: str) -> dict[str, str]:
    return {
        "ROUTER_DELIVERY": delivery,
        "ROUTER_BATCH_RECORDS": "10",
        "ROUTER_DRAIN_TIMEOUT": f"{DRAIN:g}",
    }


@pytest.fixture
async def bank(kafka: Cluster, topic_prefix: str, group: str) -> Bank:
    bank = Bank(kafka.bootstrap, topic_prefix, group)
    await bank.open(partitions=1)
    await bank.emit([(b"k", b"%d" % n) for n in range(COUNT)])
    return bank


async def published(bank: Bank) -> list[int]:
    return [int(one.rpartition("/")[2]) for one in sources(await bank.read(bank.topics.review))]


async def committed(bank: Bank) -> int:
    return (await bank.committed()).get(f"{bank.topics.chat}/0", 0)


@either_delivery
async def test_a_signal_lets_the_batch_in_flight_be_finished_and_committed_in_time(
    bank: Bank, delivery: str
) -> None:
    with bank.worker(**settings(delivery), ECHO_SECONDS="1") as worker:
        worker.wait_for("routed")  # so the next is in flight, for a second
        before = time.monotonic()
        assert worker.stop() == 0
        assert time.monotonic() - before < DRAIN
        events = [line["event"] for line in worker.log()]
        assert "routed" in events[events.index("stopping") :], "the one in flight was finished"
    done = await published(bank)
    assert done == list(range(len(done)))
    assert 20 <= len(done) < COUNT
    assert await committed(bank) == len(done)


@either_delivery
async def test_a_second_signal_leaves_at_once_and_the_next_worker_does_what_was_left(
    bank: Bank, delivery: str
) -> None:
    with bank.worker(**settings(delivery), ECHO_SECONDS="10") as worker:
        worker.wait_for("routed")
        worker.tell()
        worker.wait_for("stopping")
        worker.tell()
        assert worker.code(within=8) == 128 + signal.SIGTERM
    assert await committed(bank) <= len(await published(bank)), "the commit is never ahead"
    with bank.worker(**settings(delivery)) as again:
        await bank.done(within=180)
        assert again.stop() == 0
    done = await published(bank)
    assert sorted(set(done)) == list(range(COUNT))
    if delivery == "exactly-once":
        assert len(done) == COUNT
