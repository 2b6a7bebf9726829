"""Trouble outside: a worker that is paused past its session, a broker that dies and comes back."""

from __future__ import annotations

import asyncio
import signal

import pytest

from tests.kafka import Cluster
from tests.stream.bank import Bank, Worker, eventually, sources

pytestmark = pytest.mark.kafka

SLOWLY = {"ROUTER_BATCH_RECORDS": "20", "ROUTER_SESSION_TIMEOUT": "6", "ECHO_SECONDS": "0.05"}
either_delivery = pytest.mark.parametrize("delivery", ["exactly-once", "at-least-once"])


def messages(count: int) -> list[tuple[bytes | None, bytes | None]]:
    return [(b"c%d" % (n % 50), b"%d" % n) for n in range(count)]


@either_delivery
async def test_a_worker_that_slept_past_its_session_loses_and_doubles_nothing(
    kafka: Cluster, topic_prefix: str, group: str, delivery: str
) -> None:
    """What it has in flight when it wakes belongs to another by then."""
    bank = Bank(kafka.bootstrap, topic_prefix, group)
    await bank.open(partitions=4)
    await bank.emit(messages(3000))
    settings = {**SLOWLY, "ROUTER_DELIVERY": delivery}
    with bank.worker(**settings) as sleeper, bank.worker(**settings) as other:
        sleeper.wait_for("routed")
        other.wait_for("ready")
        sleeper.tell(signal.SIGSTOP)
        await eventually(lambda: _owns(other, 8), within=40)
        sleeper.tell(signal.SIGCONT)
        await bank.done()
        assert other.stop() == 0
        if sleeper.running:
            assert sleeper.stop() in (0, 5)
        else:
            assert sleeper.code() == 5
    published = sources(await bank.read(bank.topics.review))
    assert len(set(published)) == 3000
    if delivery == "exactly-once":
        assert len(published) == 3000


async def _owns(worker: Worker, partitions: int) -> bool:
    log = worker.log()
    joined = [line for line in log if line["event"] in ("ready", "assigned")]
    return bool(joined) and len(joined[-1]["partitions"]) == partitions


@either_delivery
async def test_a_broker_that_dies_and_comes_back_is_waited_for_or_left_and_nothing_is_lost(
    own_kafka: Cluster, topic_prefix: str, group: str, delivery: str
) -> None:
    bank = Bank(own_kafka.bootstrap, topic_prefix, group)
    await bank.open(partitions=4)
    await bank.emit(messages(2000))
    settings = {**SLOWLY, "ROUTER_DELIVERY": delivery}
    (node,) = own_kafka.nodes
    with bank.worker(**settings) as worker:
        worker.wait_for("routed")
        node.kill()
        await asyncio.sleep(2)  # long enough for sends and heartbeats to fail
        await asyncio.to_thread(own_kafka.restart, node)
        await eventually(lambda: _finished(bank, worker), within=90)
        if worker.running:
            assert worker.stop() == 0
        else:
            assert worker.code() == 5
            with bank.worker(**settings) as again:
                await bank.done()
                assert again.stop() == 0
    published = sources(await bank.read(bank.topics.review))
    assert len(set(published)) == 2000
    if delivery == "exactly-once":
        assert len(published) == 2000


async def _finished(bank: Bank, worker: Worker) -> bool:
    if not worker.running:
        return True
    committed = await bank.committed()
    return all(committed.get(tp, 0) >= end for tp, end in (await bank.ends()).items())


@either_delivery
async def test_a_worker_whose_broker_is_gone_for_good_leaves_and_says_so(
    own_kafka: Cluster, topic_prefix: str, group: str, delivery: str
) -> None:
    """Nothing that waits for the broker may hold up the leaving, or nobody would start another."""
    bank = Bank(own_kafka.bootstrap, topic_prefix, group)
    await bank.open(partitions=4)
    await bank.emit(messages(2000))
    settings = {**SLOWLY, "ROUTER_DELIVERY": delivery, "ROUTER_REQUEST_TIMEOUT": "5"}
    (node,) = own_kafka.nodes
    with bank.worker(**settings) as worker:
        worker.wait_for("routed")
        node.kill()
        try:
            assert worker.code(within=60) == 5
        finally:
            await asyncio.to_thread(own_kafka.restart, node)
        assert worker.log()[-1]["event"] == "stopped"
        assert worker.log()[-1]["exit_code"] == 5
