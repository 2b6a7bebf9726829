"""The worker's process against real brokers: what arrives, what is committed, how it ends."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter

import pytest

from router.errors import BrokerError
from router.settings import Settings
from router.stream import capabilities
from router.stream.capabilities import ask_broker
from tests.conftest import Broker
from tests.kafka import Cluster
from tests.stream.bank import Bank, eventually, sources

kafka_only = pytest.mark.kafka
either_delivery = pytest.mark.parametrize("delivery", ["exactly-once", "at-least-once"])


@pytest.fixture
def bank(kafka: Cluster, topic_prefix: str, group: str) -> Bank:
    return Bank(kafka.bootstrap, topic_prefix, group)


def messages(count: int, start: int = 0) -> list[tuple[bytes | None, bytes | None]]:
    return [(b"c%d" % (n % 50), b'{"n": %d}' % n) for n in range(start, start + count)]


async def test_everything_arrives_once_is_committed_and_counted(
    broker: Broker, topic_prefix: str, group: str
) -> None:
    bank = Bank(broker.bootstrap, topic_prefix, group)
    bank.variables["ROUTER_SESSION_TIMEOUT"] = "6"  # the embedded broker lets a join wait for half
    await bank.open()
    poison = [(b"k", b"\xff\xfe"), (b"k", b""), (b"k", None), (None, b"no key"), (b"", b"{")]
    await bank.emit([*messages(500), *poison, *messages(500, start=500)])
    with bank.worker() as worker:
        worker.wait_for("ready")
        await bank.done()
        assert worker.get("/readyz")
        metrics = worker.metrics()
        assert worker.stop() == 0
        assert worker.text().count('"ready"') == 1
    published = await bank.read(bank.topics.review)
    assert Counter(Counter(sources(published)).values()) == {1: 1005}
    assert metrics['router_consumed_total{channel="chat"}'] == 1005
    decided = 'router_decisions_total{channel="chat",queue="router.review",reason="fallback"}'
    assert metrics[decided] == 1005
    assert metrics['router_decision_seconds_count{channel="chat"}'] == 1005
    lag = {name: value for name, value in metrics.items() if name.startswith("router_lag_records")}
    assert len(lag) == 4
    assert set(lag.values()) == {0}


@kafka_only
@either_delivery
async def test_a_killed_worker_loses_nothing_and_keeps_each_conversations_order(
    bank: Bank, delivery: str
) -> None:
    await bank.open(partitions=4)
    await bank.emit(messages(3000))
    settings = {
        "ROUTER_DELIVERY": delivery,
        "ROUTER_BATCH_RECORDS": "50",
        "ROUTER_SESSION_TIMEOUT": "6",
        "ECHO_SECONDS": "0.02",
    }
    with bank.worker(**settings) as worker:
        worker.wait_for("routed")
        worker.kill()
    with bank.worker(**settings) as worker, bank.worker(**settings) as other:
        other.wait_for("ready")
        worker.wait_for("ready")
        assert other.stop() == 0
        await bank.done()
        assert worker.stop() == 0
    published = await bank.read(bank.topics.review)
    assert set(Counter(sources(published))) >= {f"{bank.topics.chat}/{n}/0" for n in range(4)}
    assert len(set(sources(published))) == 3000
    if delivery == "exactly-once":
        assert len(published) == 3000
    first_seen: dict[bytes, list[bytes]] = {}
    for record in published:
        seen = first_seen.setdefault(record.key, [])
        if record.value not in seen:
            seen.append(record.value)
    for key, values in first_seen.items():
        numbers = [int(value[6:-1]) for value in values]
        assert numbers == sorted(numbers), key


@kafka_only
@either_delivery
async def test_workers_share_and_hand_over_without_loss_or_repetition(
    bank: Bank, delivery: str
) -> None:
    await bank.open(partitions=4)
    await bank.emit(messages(2000))
    settings = {
        "ROUTER_DELIVERY": delivery,
        "ROUTER_BATCH_RECORDS": "20",
        "ECHO_SECONDS": "0.02",
    }
    with bank.worker(**settings) as first:
        first.wait_for("routed")
        with bank.worker(**settings) as second:
            second.wait_for("ready")
            first.wait_for("assigned")
            assert len(second.wait_for("ready")["partitions"]) == 4
            assert second.stop() == 0
        await bank.done()
        assert first.stop() == 0
    published = sources(await bank.read(bank.topics.review))
    assert (len(published), len(set(published))) == (2000, 2000)


@kafka_only
async def test_a_worker_without_partitions_is_ready(bank: Bank) -> None:
    await bank.open(partitions=1)
    with bank.worker() as first, bank.worker() as second, bank.worker() as third:
        for worker in (first, second, third):
            worker.wait_for("ready")
            await eventually(worker.is_ready)


@kafka_only
async def test_a_stop_with_a_stuck_batch_gives_up_in_time_and_commits_nothing(bank: Bank) -> None:
    await bank.open()
    await bank.emit(messages(10))
    with bank.worker(ECHO_STUCK="1", ROUTER_DRAIN_TIMEOUT="2") as worker:
        worker.wait_for("ready")
        await asyncio.sleep(0.5)  # the batch is in flight: nothing tells of it from outside
        assert worker.stop(within=10) == 6
        assert worker.log()[-1]["event"] == "stopped"
    assert not any((await bank.committed()).values())


@kafka_only
async def test_a_second_signal_leaves_at_once(bank: Bank) -> None:
    await bank.open()
    await bank.emit(messages(10))
    with bank.worker(ECHO_STUCK="1", ROUTER_DRAIN_TIMEOUT="60") as worker:
        worker.wait_for("ready")
        worker.tell(signal.SIGINT)
        worker.wait_for("stopping")
        worker.tell(signal.SIGINT)
        assert worker.code(within=5) == 130


@kafka_only
async def test_a_missing_topic_is_named_and_the_worker_does_not_start(bank: Bank) -> None:
    await bank.open()
    async with bank.admin() as admin:
        await admin.delete_topics([bank.topics.review])
    with bank.worker() as worker:
        assert worker.code() == 3
        last = worker.log()[-1]
        assert bank.topics.review in last["problem"]
        assert "router topics create" in last["fix"]


@kafka_only
async def test_what_cannot_be_published_ends_the_worker_and_is_not_committed(bank: Bank) -> None:
    await bank.open()
    with bank.worker(ROUTER_REQUEST_TIMEOUT="5", ROUTER_SESSION_TIMEOUT="6") as worker:
        worker.wait_for("ready")
        async with bank.admin() as admin:
            await admin.delete_topics([bank.topics.review])
        await bank.emit(messages(10))
        assert worker.code(within=40) == 5
        assert worker.log()[-1]["exit_code"] == 5
    assert not any((await bank.committed()).values())
    async with bank.admin() as admin:
        await eventually(lambda: _gone(bank))
    await bank.open()
    with bank.worker() as worker:
        await bank.done()
        assert worker.stop() == 0
    assert len(set(sources(await bank.read(bank.topics.review)))) == 10


async def _gone(bank: Bank) -> bool:
    async with bank.admin() as admin:
        return bank.topics.review not in await admin.list_topics()


@kafka_only
@either_delivery
async def test_a_record_too_large_for_its_topic_is_dead_lettered_and_not_stuck(
    bank: Bank, delivery: str
) -> None:
    """With an idempotent producer, whose sequence numbers a refused batch breaks."""
    limits = {
        bank.topics.review: {"max.message.bytes": "20000"},
        bank.topics.dead_letter: {"max.message.bytes": "10000"},
    }
    await bank.open(partitions=1, configs=limits)
    big = (b"c1", b"x" * 30_000)
    await bank.emit([*messages(100), big, *messages(100, start=100), big, *messages(5, start=200)])
    with bank.worker(ROUTER_DELIVERY=delivery) as worker:
        await bank.done()
        metrics = worker.metrics()
        assert worker.stop() == 0
    published = sources(await bank.read(bank.topics.review))
    assert len(set(published)) == 205
    letters = await bank.read(bank.topics.dead_letter)
    assert [letter.value for letter in letters] == [b"x" * 1024] * 2
    headers = dict(letters[0].headers)
    assert headers["router-reason"] == b"too_large"
    assert headers["router-size"] == b"30000"
    assert metrics['router_rejected_total{reason="too_large"}'] == 2
    assert metrics['router_consumed_total{channel="chat"}'] == 207


@kafka_only
async def test_a_static_member_comes_back_to_its_partitions_without_a_rebalance(
    bank: Bank,
) -> None:
    await bank.open()
    with bank.worker(ROUTER_INSTANCE="router-1") as other:
        other.wait_for("ready")
        with bank.worker(ROUTER_INSTANCE="router-0") as worker:
            worker.wait_for("ready")
            other.wait_for("assigned")
            assert worker.stop() == 0
        with bank.worker(ROUTER_INSTANCE="router-0") as worker:
            worker.wait_for("ready")
            await bank.emit(messages(50))
            await bank.done()
        assert [line["event"] for line in other.log()].count("assigned") == 1


@kafka_only
async def test_kafka_has_transactions(bank: Bank) -> None:
    await bank.open()
    settings = Settings(broker=bank.bootstrap)
    topics = bank.topics.inputs
    can = await ask_broker(settings, topics)
    assert can == capabilities.Capabilities(True, True, dict.fromkeys(topics, 2))


@pytest.mark.tansu
async def test_exactly_once_without_transactions_is_refused(
    tansu: Broker, topic_prefix: str, group: str
) -> None:
    bank = Bank(tansu.bootstrap, topic_prefix, group)
    await bank.open()
    with bank.worker(ROUTER_DELIVERY="exactly-once") as worker:
        assert worker.code() == 3
        assert "no transactions" in worker.log()[-1]["problem"]


@pytest.mark.tansu
async def test_the_embedded_broker_has_no_idempotent_producer(
    tansu: Broker, topic_prefix: str, group: str
) -> None:
    bank = Bank(tansu.bootstrap, topic_prefix, group)
    await bank.open()
    topics = bank.topics.inputs
    answer = await ask_broker(Settings(broker=tansu.bootstrap), topics)
    assert answer == capabilities.Capabilities(False, False, dict.fromkeys(topics, 2))


async def test_a_broker_out_of_reach_is_named_after_some_tries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(capabilities, "_FIRST_PAUSE", 0.001)
    with pytest.raises(BrokerError, match=r"127\.0\.0\.1:1"):
        await ask_broker(Settings(broker="127.0.0.1:1"), ["t"])
