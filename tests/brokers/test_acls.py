"""The worker and `router replay` with exactly the rights that the page lists, and with each of
them missing."""

from __future__ import annotations

import asyncio
from functools import cache
from pathlib import Path

import pytest

from router import assembly
from router.cli.main import run
from router.core.record import OutRecord
from tests.brokers.acls import Right, allow, allow_only, listed, named
from tests.events import chat, events, sized
from tests.integration.bad import BAD
from tests.integration.traffic import Traffic
from tests.integration.worker import Worker
from tests.kafka import Cluster, leash
from tests.model.tiny import SURE, TinyStage, write_bundle
from tests.stream.bank import Bank
from tests.stream.replay.bench import Bench, send

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

RIGHTS = listed("The worker")
REPLAY = listed("`router replay`")

DEAD_LETTER = ["dead-letter", "--re-emit", "--yes"]
DECISIONS = ["decisions", "--from", "2020-01-01T00:00:00Z", "--to", "2100-01-01T00:00:00Z"]


def test_a_worker_does_all_it_does_with_the_rights_on_the_page(
    guarded_kafka: Cluster, topic_prefix: str, tmp_path: Path
) -> None:
    """The transactional id's right is used: exactly-once delivery is asked for."""
    traffic = Traffic(guarded_kafka.bootstrap, topic_prefix, partitions=2)
    traffic.create_topics()
    group = traffic.settings.group
    rights = [named(right, topic_prefix, group) for right in RIGHTS]
    asyncio.run(allow(guarded_kafka.bootstrap, rights))
    traffic.emit([*events(60, seed=12), *BAD])
    secure = guarded_kafka.secure_environ("SCRAM-SHA-512")
    environ = traffic.environ | secure | {"ROUTER_DELIVERY": "exactly-once"}
    with Worker(environ, tmp_path) as worker:
        traffic.wait_outcomes(len(traffic.emitted), within=180, alive=worker.assert_alive)
        assert worker.terminate() == 0
    assert sum(traffic.committed().values()) >= len(traffic.emitted)


@pytest.mark.parametrize("missing", RIGHTS, ids=str)
async def test_without_one_of_them_the_worker_leaves_and_says_which(
    guarded_kafka: Cluster, topic_prefix: str, group: str, missing: Right
) -> None:
    if missing.name == "queue.":
        pytest.skip("the echo line has no queues; a queue's topic is one like the others")
    bank = Bank(guarded_kafka.bootstrap, topic_prefix, group)
    await bank.open(partitions=1)
    rest = [named(right, topic_prefix, group) for right in RIGHTS if right != missing]
    await allow(bank.bootstrap, rest)
    secure = guarded_kafka.secure_environ("SCRAM-SHA-512")
    with bank.worker(**secure, ROUTER_DELIVERY="exactly-once") as worker:
        code = await asyncio.to_thread(worker.code, 100.0)
        assert code == (3 if missing.resource == "topic" else 5), worker.text()
        last = worker.log()[-1]
    assert last["event"] == "stopped"
    assert "deploy/acls.md" in last["fix"]
    if missing.resource == "topic":
        assert f"{topic_prefix}{missing.name}" in last["problem"]
    else:
        assert missing.resource in last["fix"]


async def test_a_topic_that_may_be_seen_and_not_written_is_told_when_it_is_written(
    guarded_kafka: Cluster, topic_prefix: str, group: str
) -> None:
    bank = Bank(guarded_kafka.bootstrap, topic_prefix, group)
    await bank.open(partitions=1)
    rights = [named(right, topic_prefix, group) for right in RIGHTS]
    review = named(Right("WRITE", "topic", "router.review", "literal"), topic_prefix, group)
    seen = Right("DESCRIBE", review.resource, review.name, review.pattern)
    await allow(bank.bootstrap, [seen, *(right for right in rights if right != review)])
    await bank.emit([(b"k", b"1")])
    with bank.worker(**guarded_kafka.secure_environ("SCRAM-SHA-512")) as worker:
        assert await asyncio.to_thread(worker.code, 100.0) == 5, worker.text()
        assert "TopicAuthorizationFailedError" in worker.log()[-1]["problem"]
    assert not any((await bank.committed()).values())


@pytest.fixture(scope="module")
def bench(guarded_kafka: Cluster) -> Bench:
    """Dead letters from both channels, one of them larger than it can hold, a decision and a mark:
    every topic has something to read."""
    prefix = f"replay{leash.free_ports(1)[0]}."
    made = Bench(Traffic(guarded_kafka.bootstrap, prefix, partitions=1))
    made.traffic.create_topics()
    made.traffic.emit([*events(9, seed=13), sized("large", 70_000)])
    made.work(max_event_bytes=20)
    made.traffic.emit([chat("small", "My card has not come.")])
    made.work()
    made.publish([OutRecord(made.topics.replays, b"elsewhere/0/0", b"{}", ())])
    return made


@pytest.fixture
def replayer(
    bench: Bench, guarded_kafka: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Bench:
    """The settings of who may do what the ACLs say."""
    model = write_bundle(tmp_path / "tiny" / "1", TinyStage("only", {"card": SURE}))
    own = {"ROUTER_MODEL": str(model), "ROUTER_TOPIC_PREFIX": bench.settings.topic_prefix}
    for name, value in (guarded_kafka.secure_environ("SCRAM-SHA-512") | own).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(assembly, "open_languages", cache(assembly.open_languages))
    return bench


def replay_rights(bench: Bench, *, without: Right | None = None) -> list[Right]:
    prefix = bench.settings.topic_prefix
    return [named(one, prefix, "") for one in REPLAY if one != without]


@pytest.mark.parametrize("missing", REPLAY, ids=str)
def test_without_one_of_them_replay_sends_nothing_and_says_which(
    replayer: Bench, missing: Right, capsys: pytest.CaptureFixture[str]
) -> None:
    rights = replay_rights(replayer, without=missing)
    asyncio.run(allow_only(replayer.settings.broker, rights))
    decides = missing.operation == "READ" and missing.name in {
        "messages.chat",
        "messages.email",
        "router.decisions",
    }
    assert run(["replay", *(DECISIONS if decides else DEAD_LETTER)]) == 3
    said = capsys.readouterr().err
    lacking = named(missing, replayer.settings.topic_prefix, "")
    seen = missing.resource != "topic" or lacking.name in {one.name for one in rights}
    right = f"{missing.operation} on the {missing.resource} {lacking.name}."
    assert (right if seen else f"no topic {lacking.name}, or does not let us see it") in said
    assert "deploy/acls.md" in said
    assert not replayer.sent_again()


def test_replay_does_all_it_does_with_the_rights_on_the_page(
    replayer: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(allow_only(replayer.settings.broker, replay_rights(replayer)))
    assert run(["replay", *DECISIONS]) == 0
    assert "1 would change" in capsys.readouterr().out
    assert send(capsys)["sent"] == 10
    assert send(capsys)["by_state"] == {"replayed": 10}
