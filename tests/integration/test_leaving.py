"""How a worker leaves: told to, or because something outside is wrong."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest

from router.assembly import bundle_path
from router.settings import Settings
from tests.events import events
from tests.integration.conftest import StartWorker
from tests.integration.traffic import Traffic, source_of
from tests.kafka import Cluster, leash

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(400)]


def test_told_to_stop_it_finishes_its_batch_and_commits_what_it_published(
    traffic: Traffic, start_worker: StartWorker
) -> None:
    traffic.emit(events(2_000, seed=3))
    worker = start_worker(traffic)
    traffic.wait_outcomes(200, within=180, alive=worker.assert_alive)
    assert worker.terminate() == 0, worker.log()

    found = traffic.read()
    logs = (traffic.topics.decisions, traffic.topics.dead_letter)
    published = sorted(str(source_of(r)) for r in found if r.topic in logs)
    committed = traffic.committed()
    before = sorted(
        str(record.source)
        for record in traffic.emitted
        if record.source.offset < committed.get((record.source.topic, record.source.partition), 0)
    )
    assert published == before
    assert len(published) < 2_000, "it was to be stopped in mid-stream"


def test_ready_is_logged_once_it_can_decide(traffic: Traffic, start_worker: StartWorker) -> None:
    worker = start_worker(traffic).wait_ready()
    entries = [json.loads(line) for line in worker.log().splitlines() if line.startswith("{")]
    assert [one for one in entries if one["event"] == "ready"], worker.log()


def test_a_missing_topic_is_named(
    kafka: Cluster, topic_prefix: str, start_worker: StartWorker
) -> None:
    traffic = Traffic(kafka.bootstrap, topic_prefix)
    missing = traffic.topics.of_queue("fraud")
    traffic.create_topics(without=missing)
    worker = start_worker(traffic)
    assert worker.left(within=90) == 3, worker.log()
    assert missing in worker.log()
    assert "Traceback" not in worker.log()


def test_an_absent_broker_is_told_in_bounded_time(start_worker: StartWorker) -> None:
    address = f"127.0.0.1:{leash.free_ports(1)[0]}"
    started = time.monotonic()
    worker = start_worker(Traffic(address, "none."), ROUTER_REQUEST_TIMEOUT="5")
    assert worker.left(within=90) == 3, worker.log()
    assert time.monotonic() - started < 60
    assert address in worker.log()
    assert "Traceback" not in worker.log()


def test_a_tampered_bundle_is_not_loaded(
    traffic: Traffic, start_worker: StartWorker, tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle"
    shutil.copytree(bundle_path(Settings()), bundle)
    graph = next(bundle.rglob("*.onnx"))
    graph.chmod(0o644)
    with graph.open("r+b") as file:
        file.seek(-1, 2)
        last = file.read(1)
        file.seek(-1, 2)
        file.write(bytes([last[0] ^ 1]))
    worker = start_worker(traffic, ROUTER_MODEL=str(bundle))
    assert worker.left() == 4, worker.log()
    assert graph.name in worker.log()
    assert "Traceback" not in worker.log()
