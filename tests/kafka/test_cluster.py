"""The fixture itself: a node that answers, survives its own death, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from router.settings import Settings
from router.stream.admin import open_admin
from router.stream.topic_list import TopicSpec
from tests.kafka import Cluster, Unavailable, jars, probe

pytestmark = pytest.mark.kafka


def test_a_node_answers_metadata(kafka: Cluster) -> None:
    assert probe.brokers(kafka.nodes[0].port) == {1}


def test_a_killed_node_comes_back_on_its_port(own_kafka: Cluster) -> None:
    node = own_kafka.nodes[0]
    node.kill()
    assert probe.brokers(node.port) == set()
    own_kafka.restart(node)
    assert probe.brokers(node.port) == {1}


@pytest.mark.timeout(180)
async def test_three_nodes_keep_what_was_acknowledged_though_one_is_killed(
    own_kafka_of_three: Cluster, topic_prefix: str
) -> None:
    cluster = own_kafka_of_three
    topic = f"{topic_prefix}kept"
    settings = Settings(broker=cluster.bootstrap)
    async with open_admin(settings) as admin:
        await admin.create([TopicSpec(topic, "queue", 3, None, {})])
        assert (await admin.describe([topic]))[topic].replication == 3
    producer = AIOKafkaProducer(bootstrap_servers=cluster.bootstrap, acks="all")
    await producer.start()
    for number in range(300):
        if number == 150:
            cluster.nodes[1].kill()
        await producer.send_and_wait(topic, b"%d" % number, partition=number % 3)
    await producer.stop()
    await asyncio.to_thread(cluster.restart, cluster.nodes[1])
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=cluster.bootstrap, auto_offset_reset="earliest"
    )
    await consumer.start()
    async with asyncio.timeout(30):
        kept = {int((await consumer.getone()).value) for _ in range(300)}
    await consumer.stop()
    assert kept == set(range(300))


def test_missing_jars_are_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(Unavailable, match=r"^Kafka .*mvn`.$"):
        jars.jars()
    with pytest.raises(Unavailable, match=r"^Kafka needs Java"):
        jars.java()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_by_hand_it_prints_its_address_and_dies_with_its_parent(
    tmp_path: Path, number: signal.Signals
) -> None:
    command = [sys.executable, "-m", "tests.kafka", "--data", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        host, port = process.stdout.readline().strip().split(":")
        assert host == "127.0.0.1"
        assert probe.brokers(int(port)) == {1}
        os.kill(process.pid, number)
        code = process.wait(30)
    assert code == (0 if number == signal.SIGTERM else -signal.SIGKILL)
    deadline = time.monotonic() + 10
    while probe.brokers(int(port)):
        assert time.monotonic() < deadline, "the node outlived its parent"
        time.sleep(0.05)
