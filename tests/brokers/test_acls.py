"""A worker with exactly the rights that the page lists, and with each of them missing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.brokers.acls import Right, allow, listed, named
from tests.events import events
from tests.integration.bad import BAD
from tests.integration.traffic import Traffic
from tests.integration.worker import Worker
from tests.kafka import Cluster
from tests.stream.bank import Bank

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

RIGHTS = listed()


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
