"""`router topics` on a real Kafka: creates what is missing, and says what is unlike."""

from __future__ import annotations

import asyncio
import json

import pytest

from router.cli.main import run
from router.policies import open_policy
from router.settings import Settings
from router.stream.admin import open_admin
from router.stream.topic_list import TopicSpec
from tests.kafka import Cluster, leash

pytestmark = pytest.mark.kafka


@pytest.fixture
def settings(kafka: Cluster, topic_prefix: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("ROUTER_BROKER", kafka.bootstrap)
    monkeypatch.setenv("ROUTER_TOPIC_PREFIX", topic_prefix)
    return Settings(broker=kafka.bootstrap, topic_prefix=topic_prefix)


@pytest.fixture
def wanted(settings: Settings) -> set[str]:
    topics = settings.topics()
    by_people = (topics.feedback, topics.replays)
    return {*topics.inputs, *topics.outputs(open_policy("").queues), *by_people}


def make(settings: Settings, spec: TopicSpec) -> None:
    async def create() -> None:
        async with open_admin(settings) as admin:
            await admin.create([spec])

    asyncio.run(create())


def test_what_is_missing_is_created_and_a_second_time_nothing(
    wanted: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["topics", "create", "--partitions", "2", "--json"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert set(first["created"]) == wanted
    assert run(["topics", "create", "--partitions", "2", "--json"]) == 0
    second = json.loads(capsys.readouterr().out)
    assert (second["created"], second["differences"]) == ([], [])
    assert set(second["existing"]) == wanted


def test_a_dry_run_creates_nothing(wanted: set[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["topics", "create", "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert all(f"would create  {name}" in told for name in wanted)
    assert run(["topics", "list", "--json"]) == 1
    assert not any(row["exists"] for row in json.loads(capsys.readouterr().out))


def test_the_list_tells_what_the_broker_has(
    wanted: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["topics", "create", "--partitions", "3"]) == 0
    capsys.readouterr()
    assert run(["topics", "list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["topic"] for row in rows} == wanted
    assert {(row["partitions"], row["replication"]) for row in rows} == {(3, 1)}
    assert min(row["max_message_bytes"] for row in rows) > 2_000_000
    assert run(["topics", "list"]) == 0
    assert all(name in capsys.readouterr().out for name in sorted(wanted)[:1])


@pytest.mark.parametrize(
    ("setting", "value", "code"),
    [("max.message.bytes", "1000", 1), ("cleanup.policy", "compact", 1), ("retention.ms", "9", 0)],
)
def test_an_existing_topic_that_is_unlike_is_told_and_left(
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
    setting: str,
    value: str,
    code: int,
) -> None:
    review = settings.topics().review
    spec = TopicSpec(review, "review", 2, None, {"max.message.bytes": "9000000", setting: value})
    make(settings, spec)
    for _ in range(2):
        assert run(["topics", "create", "--partitions", "2", "--json"]) == code
        (found,) = [
            one
            for one in json.loads(capsys.readouterr().out)["differences"]
            if one["setting"] == setting
        ]
        assert (found["topic"], found["found"], found["harmful"]) == (review, value, bool(code))


def test_a_policys_own_queues_get_topics(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROUTER_TOPIC_QUEUE", "desk.{queue}")
    assert run(["topics", "create", "--dry-run", "--json"]) == 0
    created = json.loads(capsys.readouterr().out)["created"]
    assert f"{settings.topic_prefix}desk.fraud" in created


def test_an_absent_broker_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    address = f"127.0.0.1:{leash.free_ports(1)[0]}"
    monkeypatch.setenv("ROUTER_BROKER", address)
    assert run(["topics", "list"]) == 3
    told = capsys.readouterr().err
    assert address in told
    assert "Traceback" not in told
