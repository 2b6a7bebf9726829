"""Dead letters on real brokers: sent again once, whoever runs the command and wherever it ends."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from router import assembly
from router.cli.main import run
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
from tests.events import chat, sized
from tests.integration.traffic import QUEUES, Traffic
from tests.kafka import Cluster
from tests.stream.replays import Bench, bad, event_ids, line_of

pytestmark = pytest.mark.timeout(120)

LIMIT = 1_000
MENDED = {"time": "2026-03-02T08:00:00Z"}


_languages = cache(assembly.open_languages)


@pytest.fixture(autouse=True)
def _read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each run of the command reads the language step's model, a second of work."""
    monkeypatch.setattr(assembly, "open_languages", _languages)


@pytest.fixture
def bench(broker: Broker, topic_prefix: str, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return bench_on(broker.bootstrap, topic_prefix, monkeypatch)


@pytest.fixture
def kafka_bench(kafka: Cluster, topic_prefix: str, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return bench_on(kafka.bootstrap, topic_prefix, monkeypatch)


def bench_on(bootstrap: str, prefix: str, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setenv("ROUTER_BROKER", bootstrap)
    monkeypatch.setenv("ROUTER_TOPIC_PREFIX", prefix)
    traffic = Traffic(bootstrap, prefix, partitions=2)
    traffic.create_topics()
    return Bench(traffic)


def replay(capsys: pytest.CaptureFixture[str], *args: str, code: int = 0) -> dict[str, Any]:
    """``router replay dead-letter --json``, and what it printed."""
    capsys.readouterr()
    left = run(["replay", "dead-letter", "--json", *args])
    out, err = capsys.readouterr()
    assert left == code, err
    answer: dict[str, Any] = json.loads(out)
    return answer


def send(capsys: pytest.CaptureFixture[str], *args: str, code: int = 0) -> dict[str, Any]:
    return replay(capsys, "--re-emit", "--yes", *args, code=code)


def test_what_was_too_large_comes_back_once_after_the_limit_was_raised(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.traffic.emit([chat("small", "hello"), sized("large", 5_000), sized("huge", 100_000)])
    bench.work(max_event_bytes=LIMIT)
    monkeypatch.setenv("ROUTER_MAX_EVENT_BYTES", str(LIMIT))
    assert send(capsys)["refused"] == {"too_large": 2}
    assert not bench.sent_again()

    monkeypatch.setenv("ROUTER_MAX_EVENT_BYTES", "1000000")
    listed = replay(capsys)
    assert (listed["by_reason"], listed["by_state"]) == ({"too_large": 2}, {"accepted": 2})
    assert sorted(row["size"] for row in listed["dead_letters"]) == [5_000, 100_000]
    assert send(capsys)["sent"] == 2

    came = {str(one.source): one for one in bench.inputs()}
    for one in bench.sent_again():
        trail = {name: (value or b"").decode() for name, value in one.headers}
        first = came[
            "/".join(trail[f"router-source-{p}"] for p in ("topic", "partition", "offset"))
        ]
        assert (one.key, one.value) == (first.key, first.value)
        assert one.source.partition == first.source.partition
        assert trail["router-attempts"] == "2"
        assert trail["router-replayed-at"].endswith("Z")
    assert sorted(bench.marks()) == sorted(
        dict(one.headers)["router-replayed-from"].decode()  # type: ignore[union-attr]  # there
        for one in bench.sent_again()
    )

    again = send(capsys)
    assert (again["sent"], again["by_state"]) == (0, {"replayed": 2})
    assert len(bench.sent_again()) == 2
    bench.work()
    assert {"small", "large", "huge"} == {one["event_id"] for one in bench.decisions().values()}
    assert replay(capsys)["count"] == 0
    assert replay(capsys, "--all")["count"] == 2


def test_filters_choose_what_is_listed_and_sent(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.traffic.emit([sized("large", 5_000), bad("a"), bad("b", schema="chat-message/v1")])
    bench.work(max_event_bytes=LIMIT)
    for args, count in (
        ((), 3),
        (("--reason", "missing_field"), 2),
        (("--reason", "missing_field", "--reason", "too_large"), 3),
        (("--field", "time"), 2),
        (("--schema", "chat-message/v1"), 3),
        (("--schema", "chat-message/v2"), 0),
        (("--topic", bench.topics.chat), 3),
        (("--topic", bench.topics.email), 0),
        (("--since", "2020-01-01T00:00:00Z"), 3),
        (("--until", "2020-01-01T00:00:00Z"), 0),
    ):
        assert replay(capsys, *args)["count"] == count, args
    assert len(replay(capsys, "--limit", "1")["dead_letters"]) == 1
    assert send(capsys, "--reason", "missing_field")["sent"] == 0
    assert send(capsys, "--reason", "too_large")["sent"] == 1
    assert event_ids(bench.sent_again()) == ["large"]


def test_a_mended_value_goes_back_in_place_of_the_broken_one(
    bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.traffic.emit([bad("a"), bad("b"), bad("c")])
    bench.work()
    file = tmp_path / "mend.jsonl"
    assert replay(capsys, "--export", str(file))["exported"] == 3
    assert file.stat().st_mode & 0o777 == 0o600
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    for line in lines:
        if line["event"]["event_id"] != "c":
            line["event"] |= MENDED
    lines.append({"dead_letter": f"{bench.topics.dead_letter}/0/999999", "value": "{}"})
    file.write_text("\n".join(map(json.dumps, lines)))

    answer = send(capsys, "--from", str(file), code=1)
    assert (answer["sent"], answer["refused"]) == (2, {"missing_field": 1})
    assert answer["not_found"] == [f"{bench.topics.dead_letter}/0/999999"]
    assert sorted(event_ids(bench.sent_again())) == ["a", "b"]
    assert send(capsys, "--from", str(file), code=1)["sent"] == 0
    marks = [json.loads(one.value) for one in bench.on(bench.topics.replays)]
    assert [mark["mended"] for mark in marks] == [True, True]
    bench.work()
    assert {"a", "b"} == {one["event_id"] for one in bench.decisions().values()}


def test_an_event_that_is_refused_again_is_a_new_dead_letter_with_its_past(
    bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.traffic.emit([bad("a")])
    bench.work()
    file = tmp_path / "mend.jsonl"
    replay(capsys, "--export", str(file))
    line = json.loads(file.read_text())
    line["event"] |= MENDED
    file.write_text(json.dumps(line))
    assert send(capsys, "--from", str(file))["sent"] == 1
    bench.work(max_event_bytes=20)
    (row,) = replay(capsys)["dead_letters"]
    assert (row["reason"], row["attempts"]) == ("too_large", 2)
    assert row["replayed_from"] == line["dead_letter"]
    assert send(capsys)["sent"] == 1
    attempts = [dict(one.headers)["router-attempts"] for one in bench.sent_again()]
    assert sorted(attempts, key=str) == [b"2", b"3"]


def test_without_a_terminal_and_without_yes_nothing_is_sent(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.traffic.emit([sized("large", 5_000)])
    bench.work(max_event_bytes=LIMIT)
    answer = replay(capsys, "--re-emit", code=2)
    assert (answer["dry_run"], answer["to_send"], answer["sent"]) == (True, 1, 0)
    assert not bench.sent_again()


@pytest.mark.kafka
def test_on_a_terminal_it_asks_first(
    kafka_bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bench = kafka_bench
    bench.traffic.emit([sized("large", 5_000)])
    bench.work(max_event_bytes=LIMIT)
    asked: list[str] = []
    answers = iter([False, True])

    def confirm(question: str, **_: object) -> bool:
        asked.append(question)
        return next(answers)

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("click.confirm", confirm)
    assert run(["replay", "dead-letter", "--re-emit"]) == 1
    assert not bench.sent_again()
    assert replay(capsys, "--re-emit")["sent"] == 1
    assert asked == ["Send 1 again?"] * 2


def test_customers_words_are_shown_only_where_they_are_asked_for(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.traffic.emit([bad("a", text="plums in the icebox")])
    bench.work()
    capsys.readouterr()
    for args in ([], ["--json"], ["--all"], ["--re-emit"], ["--re-emit", "--yes"]):
        run(["replay", "dead-letter", *args])
        told = capsys.readouterr()
        assert "icebox" not in told.out + told.err
    for args in (["--show-text"], ["--show-text", "--json"]):
        assert run(["replay", "dead-letter", *args]) == 0
        assert "plums in the icebox" in capsys.readouterr().out


@pytest.mark.kafka
def test_what_holds_the_beginning_alone_is_gone_when_its_source_is(
    kafka_bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench = kafka_bench
    bench.traffic.emit([sized("huge", 100_000)])
    bench.work(max_event_bytes=LIMIT)
    (letter,) = bench.dead_letters()
    elsewhere = [
        (name, b"777" if name == "router-source-offset" else value)
        for name, value in letter.headers
    ]
    bench.publish(
        [OutRecord(bench.topics.dead_letter, letter.key, letter.value, tuple(elsewhere))], 0
    )
    assert replay(capsys)["by_state"] == {"accepted": 1, "gone": 1}
    exported = replay(capsys, "--export", str(tmp_path / "mend.jsonl"))
    assert (exported["exported"], exported["gone"]) == (1, 1)
    assert send(capsys)["sent"] == 1


@pytest.mark.kafka
def test_what_names_no_input_topic_goes_nowhere(
    kafka_bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    headers = tuple(
        (f"router-source-{name}", value)
        for name, value in (
            ("topic", kafka_bench.topics.decisions.encode()),
            ("partition", b"0"),
            ("offset", b"0"),
        )
    )
    kafka_bench.publish([OutRecord(kafka_bench.topics.dead_letter, None, b"{}", headers)], 0)
    assert send(capsys)["by_state"] == {"foreign": 1}


@pytest.mark.kafka
def test_dead_letters_older_than_every_mark_are_left(
    kafka_bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench = kafka_bench
    bench.traffic.emit([sized("large", 5_000)])
    bench.work(max_event_bytes=LIMIT)

    class Later(SystemClock):
        def now(self) -> float:
            return super().now() + 91 * 86_400

    found: list[Standing] = []
    letters = DeadLetters(bench.settings, line_of(bench.settings), Later())
    asyncio.run(letters.look(Asked(wanted=Wanted()), found.append))
    assert [one.state for one in found] == ["too_old"]


class Terminal(io.StringIO):
    """A standard input that a person sits at."""

    def isatty(self) -> bool:
        return True


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
        assert len(await read_marks(bench.settings, partitions, settled=True)) == 1

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
            await read_marks(hasty, partitions, settled=True)
        assert await read_marks(hasty, partitions, settled=False) == {}
        await producer.commit_transaction()
        await producer.stop()
        assert len(await read_marks(bench.settings, partitions, settled=True)) == 1

    asyncio.run(look())


@pytest.mark.kafka
def test_one_that_its_topic_finds_too_large_does_not_hold_up_the_others(
    kafka: Cluster,
    topic_prefix: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    traffic = Traffic(kafka.bootstrap, topic_prefix, partitions=2)
    monkeypatch.setenv("ROUTER_BROKER", kafka.bootstrap)
    monkeypatch.setenv("ROUTER_TOPIC_PREFIX", topic_prefix)
    traffic.create_topics(without=traffic.topics.chat)
    monkeypatch.setenv("ROUTER_MAX_EVENT_BYTES", "1000")
    assert run(["topics", "create", "--partitions", "2"]) == 0
    monkeypatch.setenv("ROUTER_MAX_EVENT_BYTES", "1000000")
    bench = Bench(traffic)
    bench.traffic.emit([bad("a"), bad("b"), bad("c")])
    bench.work()
    file = tmp_path / "mend.jsonl"
    replay(capsys, "--export", str(file))
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    for line in lines:
        line["event"] |= MENDED
        if line["event"]["event_id"] == "b":
            line["event"]["text"] = os.urandom(60_000).hex()
    file.write_text("\n".join(map(json.dumps, lines)))
    assert send(capsys, "--from", str(file), code=1)["sent"] == 2
    assert sorted(event_ids(bench.sent_again())) == ["a", "c"]
    assert send(capsys, "--from", str(file), code=1)["sent"] == 0


@pytest.mark.kafka
def test_a_missing_topic_is_named_and_the_list_does_without_marks(
    kafka: Cluster,
    topic_prefix: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("ROUTER_BROKER", kafka.bootstrap)
    monkeypatch.setenv("ROUTER_TOPIC_PREFIX", topic_prefix)
    assert run(["replay", "dead-letter"]) == 3
    assert f"no topic {topic_prefix}router.dead-letter" in capsys.readouterr().err
    traffic = Traffic(kafka.bootstrap, topic_prefix, partitions=2)
    traffic.create_topics(without=traffic.topics.replays)
    bench = Bench(traffic)
    bench.traffic.emit([sized("large", 5_000)])
    bench.work(max_event_bytes=LIMIT)
    assert replay(capsys)["count"] == 1
    assert run(["replay", "dead-letter", "--re-emit", "--yes"]) == 3
    assert f"no topic {traffic.topics.replays}" in capsys.readouterr().err


@pytest.mark.kafka
def test_the_worker_does_without_the_topic_of_marks(kafka_bench: Bench) -> None:
    assert kafka_bench.topics.replays not in kafka_bench.topics.outputs(QUEUES)


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
