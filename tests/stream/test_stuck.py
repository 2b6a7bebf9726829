"""The watchdog in a real worker on a real Kafka: what hangs is left, what is idle is not."""

from __future__ import annotations

import asyncio
import urllib.error

import pytest
from aiokafka import AIOKafkaProducer

from tests.kafka import Cluster
from tests.stream.bank import Bank, Worker, eventually, sources

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

either_delivery = pytest.mark.parametrize("delivery", ["exactly-once", "at-least-once"])


@pytest.fixture
def bank(kafka: Cluster, topic_prefix: str, group: str) -> Bank:
    return Bank(kafka.bootstrap, topic_prefix, group)


@either_delivery
async def test_a_line_that_hangs_fails_readiness_then_liveness_and_the_worker_leaves(
    bank: Bank, delivery: str
) -> None:
    await bank.open(partitions=1)
    await bank.emit([(b"k", b"%d" % n) for n in range(10)])
    settings = {"ROUTER_DELIVERY": delivery, "ROUTER_WATCHDOG": "4"}
    with bank.worker(ECHO_STUCK="1", **settings) as worker:
        worker.wait_for("ready")
        worker.wait_for("records wait and none is decided")
        assert "none was decided" in refusal(worker, "/readyz")
        assert worker.get("/healthz") == "alive\n"
        assert worker.code(within=60) == 7
        last = worker.log()[-1]
        assert last["event"] == "stopped"
        assert f"{bank.topics.chat}/0 and none was decided for" in last["problem"]
        assert "routing a slice" in last["problem"]
    with bank.worker(**settings) as again:
        await bank.done(within=180)
        assert again.stop() == 0
    assert len(set(sources(await bank.read(bank.topics.review)))) == 10


async def test_an_idle_worker_is_left_alone_though_upstreams_transactions_end_in_markers(
    bank: Bank,
) -> None:
    """Markers are offsets that nobody decides; they are no waiting records."""
    await bank.open(partitions=1)
    producer = AIOKafkaProducer(bootstrap_servers=bank.bootstrap, transactional_id=bank.group)
    await producer.start()
    with bank.worker(ROUTER_WATCHDOG="2") as worker:
        worker.wait_for("ready")
        try:
            for commit in (True, False, False):
                await producer.begin_transaction()
                await producer.send_and_wait(bank.topics.chat, b"1", key=b"k")
                await (producer.commit_transaction() if commit else producer.abort_transaction())
        finally:
            await producer.stop()
        await eventually(lambda: _decided(worker, 1))
        await asyncio.sleep(8)  # four times the wait
        assert await worker.is_ready()
        assert worker.event("records wait and none is decided") is None
        lag = f'router_lag_records{{partition="0",topic="{bank.topics.chat}"}}'
        assert worker.metrics()[lag] == 0


async def _decided(worker: Worker, count: int) -> bool:
    return worker.metrics()['router_consumed_total{channel="chat"}'] == count


def refusal(worker: Worker, path: str) -> str:
    """The body of a 503."""
    with pytest.raises(urllib.error.HTTPError) as refused:
        worker.get(path)
    assert refused.value.code == 503
    return str(refused.value.read().decode())
