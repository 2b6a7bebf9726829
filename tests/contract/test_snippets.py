"""The README's programs compile, and do on a real broker what the README says."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.contract.contracts import examples, faults, schema
from tests.contract.snippets import LANGUAGES, Programs, build, sources
from tests.kafka import Cluster, Unavailable

REQUIRE = "TESTS_REQUIRE_ALL"
SECONDS = 60.0


@pytest.fixture(scope="module", params=LANGUAGES)
def programs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Programs:
    """A language's two programs; skipped where the machine lacks it, unless all is required."""
    try:
        return build(request.param, tmp_path_factory.mktemp(request.param))
    except Unavailable as reason:
        if os.environ.get(REQUIRE) == "1":
            pytest.fail(f"{REQUIRE}=1: {reason}")
        pytest.skip(str(reason))


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_is_a_program_to_emit_and_one_to_consume(language: str) -> None:
    names = {name.lower().removesuffix("/main.go").partition(".")[0] for name in sources(language)}
    assert names == {"emit", "consume"}


@pytest.mark.timeout(600)  # Go compiles its Kafka client once, over a minute on a busy machine
def test_the_programs_compile(programs: Programs) -> None:
    assert programs.emit != programs.consume


@pytest.fixture
async def topic(kafka: Cluster, topic_prefix: str) -> str:
    name = f"{topic_prefix}snippets"
    async with _admin(kafka) as admin:
        await admin.create_topics([NewTopic(name, num_partitions=1, replication_factor=1)])
    return name


@asynccontextmanager
async def _admin(kafka: Cluster) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


def _environment(kafka: Cluster, topic: str, group: str = "") -> dict[str, str]:
    return {**os.environ, "BROKER": kafka.bootstrap, "TOPIC": topic, "GROUP": group}


@pytest.mark.kafka
@pytest.mark.timeout(600)
async def test_what_is_emitted_is_an_event(programs: Programs, kafka: Cluster, topic: str) -> None:
    program = await asyncio.create_subprocess_exec(
        *programs.emit, env=_environment(kafka, topic), stdout=subprocess.DEVNULL
    )
    async with asyncio.timeout(SECONDS):
        assert await program.wait() == 0
        async with AIOKafkaConsumer(
            topic, bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest"
        ) as consumer:
            record = await consumer.getone()
    event = json.loads(record.value)
    headers = {name: value.decode() for name, value in record.headers}
    assert faults(schema("chat-message"), event) == set()
    assert record.key.decode() == event["conversation_id"]
    assert headers["content-type"] == "application/json"
    assert headers["ce_specversion"] == "1.0"
    assert headers["ce_id"] == event["event_id"]
    assert headers["ce_type"] == event["schema"]
    assert headers["ce_time"] == event["time"]


def _queued() -> list[dict[str, Any]]:
    decisions = (example.value for example in examples("valid", "routing-decision"))
    distinct = {value["decision_id"]: value for value in decisions if "message" in value}
    return list(distinct.values())[:3]


async def _publish(kafka: Cluster, topic: str) -> list[dict[str, Any]]:
    """Publish one decision that is taken back, then two, the first of them twice."""
    aborted, first, second = _queued()
    async with AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap, transactional_id=f"{topic}-test"
    ) as producer:
        for values, commit in (([aborted], False), ([first, first, second], True)):
            await producer.begin_transaction()
            for value in values:
                key = value["conversation_id"].encode()
                await producer.send_and_wait(topic, json.dumps(value).encode(), key=key)
            await (producer.commit_transaction() if commit else producer.abort_transaction())
    return [first, second]


async def _committed(kafka: Cluster, group: str, topic: str) -> int:
    async with _admin(kafka) as admin:
        offsets = await admin.list_consumer_group_offsets(group)
    at = offsets.get(TopicPartition(topic, 0))
    return at.offset if at else -1


@pytest.mark.kafka
@pytest.mark.timeout(600)
async def test_each_committed_decision_is_handled_once_and_then_acknowledged(
    programs: Programs, kafka: Cluster, topic: str, group: str
) -> None:
    published = await _publish(kafka, topic)
    program = await asyncio.create_subprocess_exec(
        *programs.consume, env=_environment(kafka, topic, group), stdout=subprocess.PIPE
    )
    try:
        assert program.stdout is not None
        async with asyncio.timeout(SECONDS):
            handled = [(await program.stdout.readline()).decode().split() for _ in published]
            last = 4  # after the one taken back, its marker, and the two alike
            while await _committed(kafka, group, topic) <= last:  # noqa: ASYNC110  # a poll
                await asyncio.sleep(0.2)
        assert program.returncode is None
    finally:
        if program.returncode is None:
            program.kill()
        await program.wait()
    assert [line[0] for line in handled] == [value["decision_id"] for value in published]
    assert [int(line[1]) for line in handled] == [value["priority"] for value in published]
