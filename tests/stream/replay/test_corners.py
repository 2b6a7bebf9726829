"""Dead letters that cannot be sent again, and topics that are not as they should be."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest

from router.cli.main import run
from router.core.dead_letters import Wanted
from router.core.record import OutRecord
from router.core.replaying import Standing
from router.ops.clock import SystemClock
from router.stream.replay import Asked, DeadLetters
from tests.events import sized
from tests.integration.traffic import QUEUES, Traffic
from tests.kafka import Cluster
from tests.stream.replay.bench import LIMIT, MENDED, Bench, bad, event_ids, line_of, replay, send

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(120)]


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


def test_a_missing_topic_is_named_and_the_list_does_without_marks(
    kafka: Cluster,
    topic_prefix: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("ROUTER_BROKER", kafka.bootstrap)
    monkeypatch.setenv("ROUTER_TOPIC_PREFIX", topic_prefix)
    assert run(["replay", "dead-letter"]) == 3
    assert f"{topic_prefix}router.dead-letter, or does not let us" in capsys.readouterr().err
    traffic = Traffic(kafka.bootstrap, topic_prefix, partitions=2)
    traffic.create_topics(without=traffic.topics.replays)
    bench = Bench(traffic)
    bench.traffic.emit([sized("large", 5_000)])
    bench.work(max_event_bytes=LIMIT)
    assert replay(capsys)["count"] == 1
    assert run(["replay", "dead-letter"]) == 0
    assert "sent again already is not known" in capsys.readouterr().err
    assert run(["replay", "dead-letter", "--re-emit", "--yes"]) == 3
    assert f"no topic {traffic.topics.replays}" in capsys.readouterr().err


def test_the_worker_does_without_the_topic_of_marks(kafka_bench: Bench) -> None:
    assert kafka_bench.topics.replays not in kafka_bench.topics.outputs(QUEUES)
