"""Whoever sends dead letters again, and wherever it ends: each goes back once."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import pytest

from router.core.dead_letters import Wanted
from router.core.record import OutRecord
from router.core.replaying import Standing
from router.errors import BrokerError
from router.ops.clock import SystemClock
from router.settings import Settings
from router.stream import replay_sending
from router.stream.capabilities import Capabilities, ask_broker
from router.stream.producers import new_producer
from router.stream.replay import Asked, DeadLetters
from router.stream.replay_marks import Marks, read_marks
from router.stream.replay_sending import Return, open_sender
from tests.conftest import Broker
from tests.events import sized
from tests.stream.replay.bench import LIMIT, Bench, event_ids, line_of, send

pytestmark = pytest.mark.timeout(120)

KILLED = """
import os, signal, sys
from aiokafka import AIOKafkaProducer
from router import assembly
from router.cli.main import run
commit = AIOKafkaProducer.commit_transaction
async def killed(self):
    if sys.argv[1] == "after":
        await commit(self)
    os.kill(os.getpid(), signal.SIGKILL)
AIOKafkaProducer.commit_transaction = killed
run(["replay", "dead-letter", "--re-emit", "--yes"])
"""


@pytest.mark.kafka
@pytest.mark.parametrize(("when", "left"), [("before", 3), ("after", 0)])
def test_a_run_that_is_killed_is_made_good_by_the_next(
    kafka_bench: Bench, when: str, left: int, capsys: pytest.CaptureFixture[str]
) -> None:
    bench = kafka_bench
    bench.traffic.emit([sized(f"large{n}", 5_000) for n in range(3)])
    bench.work(max_event_bytes=LIMIT)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, when], env=dict(os.environ), timeout=60, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    written = {place: part[1] for place, part in bench.ends().items()}
    assert sum(end for (topic, _), end in written.items() if topic == bench.topics.replays) >= 3
    assert send(capsys)["sent"] == left
    assert send(capsys)["sent"] == 0
    assert sorted(event_ids(bench.sent_again())) == ["large0", "large1", "large2"]
    assert len(bench.marks()) == 3


@pytest.mark.kafka
def test_two_operators_at_once_send_each_dead_letter_once(
    kafka_bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bench = kafka_bench
    bench.traffic.emit([sized(f"large{n}", 2_000) for n in range(20)])
    bench.work(max_event_bytes=LIMIT)
    monkeypatch.setattr(replay_sending._Transactions, "batch", 2)
    sent: list[Standing] = []

    async def operator() -> None:
        letters = DeadLetters(bench.settings, line_of(bench.settings), SystemClock())
        await letters.send_again(Asked(wanted=Wanted()), None, lambda one, _: sent.append(one))

    async def both() -> list[BaseException | None]:
        return list(await asyncio.gather(operator(), operator(), return_exceptions=True))

    left = asyncio.run(both())
    assert all(one is None or isinstance(one, BrokerError) for one in left), left
    sent_then = len(sent)
    assert send(capsys)["sent"] == 20 - sent_then
    assert set(Counter(event_ids(bench.sent_again())).values()) == {1}
    assert len(bench.sent_again()) == len(bench.marks()) == 20


@pytest.mark.kafka
def test_whoever_read_the_marks_before_another_sent_sends_nothing(
    kafka_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The window between reading the marks and sending, opened on purpose."""
    bench = kafka_bench
    bench.traffic.emit([sized("large", 2_000)])
    bench.work(max_event_bytes=LIMIT)
    line = line_of(bench.settings)
    slow, quick = (DeadLetters(bench.settings, line, SystemClock()) for _ in range(2))
    sent: list[str] = []
    read = slow._marks

    async def read_then_wait(*, settled: bool) -> Marks:
        marks = await read(settled=settled)
        await quick.send_again(Asked(wanted=Wanted()), None, lambda *_: sent.append("quick"))
        return marks

    monkeypatch.setattr(slow, "_marks", read_then_wait)
    with pytest.raises(BrokerError, match="another `router replay`"):
        asyncio.run(slow.send_again(Asked(wanted=Wanted()), None, lambda *_: sent.append("slow")))
    assert sent == ["quick"]
    assert event_ids(bench.sent_again()) == ["large"]


@pytest.mark.kafka
def test_who_claims_later_shuts_out_who_claimed_before(kafka_bench: Bench) -> None:
    bench, topics = kafka_bench, kafka_bench.topics
    mark = OutRecord(topics.replays, b"t/0/1", b"{}", ())
    one = Return(OutRecord(topics.chat, b"k", b"{}", ()), 0, mark)

    async def race() -> None:
        broker = Capabilities(idempotent=True, transactions=True)
        async with (
            open_sender(bench.settings, broker) as first,
            open_sender(bench.settings, broker) as second,
        ):
            await first.claim()
            await second.claim()
            with pytest.raises(BrokerError, match="another `router replay`"):
                await first.send([one])
            await second.send([one])
        partitions = bench.traffic.partitions
        assert len(await read_marks(bench.settings, partitions, lambda *_: None, settled=True)) == 1

    asyncio.run(race())
    assert len(bench.inputs()) == 1


@pytest.mark.kafka
def test_the_marks_are_not_read_while_one_is_in_the_air(kafka_bench: Bench) -> None:
    """Should somebody else write to the topic in a transaction: the command does not guess."""
    bench, topics = kafka_bench, kafka_bench.topics

    async def look() -> None:
        producer = new_producer(bench.settings, transactional_id=f"{topics.replays}-other")
        await producer.start()
        await producer.begin_transaction()
        await producer.send_and_wait(topics.replays, b"{}", key=b"t/0/1")
        hasty = replace(bench.settings, request_timeout=2.0)
        partitions = bench.traffic.partitions
        with pytest.raises(BrokerError, match="stays open"):
            await read_marks(hasty, partitions, lambda *_: None, settled=True)
        assert await read_marks(hasty, partitions, lambda *_: None, settled=False) == {}
        await producer.commit_transaction()
        await producer.stop()
        assert len(await read_marks(bench.settings, partitions, lambda *_: None, settled=True)) == 1

    asyncio.run(look())


@pytest.mark.tansu
def test_exactly_once_is_refused_where_the_broker_has_no_transactions(
    tansu: Broker, topic_prefix: str
) -> None:
    settings = Settings(broker=tansu.bootstrap, topic_prefix=topic_prefix, delivery="exactly-once")

    async def ask() -> None:
        async with open_sender(settings, await ask_broker(settings, ())):
            pass

    with pytest.raises(BrokerError, match="no transactions"):
        asyncio.run(ask())
