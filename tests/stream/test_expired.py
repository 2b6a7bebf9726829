"""Retention outruns the group on a real Kafka: the worker stops and says so, and can be told on."""

from __future__ import annotations

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import RecordsToDelete

from tests.kafka import Cluster
from tests.stream.bank import Bank, Worker, eventually, sources

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

SLOWLY = {"ROUTER_BATCH_RECORDS": "30", "ECHO_SECONDS": "0.3"}


@pytest.fixture
async def bank(kafka: Cluster, topic_prefix: str, group: str) -> Bank:
    bank = Bank(kafka.bootstrap, topic_prefix, group)
    await bank.open(partitions=1)
    return bank


async def forget(bank: Bank, before: int) -> None:
    """As retention would."""
    place = TopicPartition(bank.topics.chat, 0)
    async with bank.admin() as admin:
        await admin.delete_records({place: RecordsToDelete(before)})


def stopped(worker: Worker) -> str:
    """What it says last, once it has stopped as it should."""
    assert worker.code(within=90) == 5, worker.text()
    last = worker.log()[-1]
    assert last["event"] == "stopped"
    assert "ROUTER_ON_EXPIRED=continue" in last["fix"]
    return str(last["problem"])


@pytest.mark.parametrize("delivery", ["exactly-once", "at-least-once"])
async def test_a_committed_offset_that_expired_stops_the_worker_until_it_is_told_to_continue(
    bank: Bank, delivery: str
) -> None:
    await bank.emit([(b"k", b"%d" % n) for n in range(10)])
    with bank.worker(ROUTER_DELIVERY=delivery) as worker:
        await bank.done(within=180)
        assert worker.stop() == 0
    committed = (await bank.committed())[f"{bank.topics.chat}/0"]
    await bank.emit([(b"k", b"%d" % n) for n in range(10, 30)])
    await forget(bank, committed + 15)

    with bank.worker(ROUTER_DELIVERY=delivery) as worker:
        assert f"15 records of {bank.topics.chat}/0 are gone" in stopped(worker)
    assert (await bank.committed())[f"{bank.topics.chat}/0"] == committed, "nothing is hidden"

    with bank.worker(ROUTER_DELIVERY=delivery, ROUTER_ON_EXPIRED="continue") as worker:
        await bank.done(within=180)
        assert worker.stop() == 0
        assert worker.event("records expired unread") is not None
    published = sources(await bank.read(bank.topics.review))
    assert published == [f"{bank.topics.chat}/0/{n}" for n in (*range(10), *range(25, 30))]


@pytest.mark.parametrize("on_expired", ["stop", "continue"])
async def test_a_position_that_expires_in_mid_stream_is_told_once_what_is_in_hand_is_done(
    bank: Bank, on_expired: str
) -> None:
    """aiokafka itself would go on at the beginning of what is left, and say nothing."""
    large = b"x" * 4_000  # so that a fetch of 1 MB takes some of them, not all
    await bank.emit([(b"k", large) for _ in range(2_000)])
    with bank.worker(**SLOWLY, ROUTER_ON_EXPIRED=on_expired) as worker:
        worker.wait_for("routed")
        await forget(bank, 1_990)
        if on_expired == "stop":
            assert f"of {bank.topics.chat}/0 are gone" in stopped(worker)
        else:
            await bank.done(within=180)
            assert worker.event("records expired unread") is not None
            assert worker.stop() == 0
    offsets = [int(one.rpartition("/")[2]) for one in sources(await bank.read(bank.topics.review))]
    held = sum(offset < 1_990 for offset in offsets)
    assert 200 <= held < 1_990
    assert offsets[:held] == list(range(held)), "all that was fetched before is decided"
    rest = list(range(1_990, 2_000)) if on_expired == "continue" else []
    assert offsets[held:] == rest
    assert (await bank.committed())[f"{bank.topics.chat}/0"] == (2_000 if rest else held)


async def test_an_offset_beyond_the_end_is_told_too(bank: Bank) -> None:
    """The topic was cut back, or restored from an older copy."""
    place = TopicPartition(bank.topics.chat, 0)
    await bank.emit([(b"k", b"%d" % n) for n in range(3)])
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bank.bootstrap, group_id=bank.group, enable_auto_commit=False
    )
    await consumer.start()
    try:
        consumer.assign([place])
        await consumer.commit({place: 50})
    finally:
        await consumer.stop()
    with bank.worker() as worker:
        assert "made anew or cut back" in stopped(worker)
    with bank.worker(ROUTER_ON_EXPIRED="continue") as worker:
        await eventually(lambda: _committed(bank, 3))
        assert worker.stop() == 0
    assert len(await bank.read(bank.topics.review)) == 3


async def _committed(bank: Bank, offset: int) -> bool:
    return (await bank.committed())[f"{bank.topics.chat}/0"] == offset
