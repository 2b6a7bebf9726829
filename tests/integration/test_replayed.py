"""A dead letter's whole way: refused by a real worker, sent again, decided by a real worker."""

from __future__ import annotations

import json

import orjson
import pytest

from router.cli.main import run
from tests.events import chat, sized
from tests.integration.conftest import StartWorker
from tests.integration.traffic import Traffic

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]


def test_an_event_over_the_limit_is_decided_once_after_the_limit_was_raised(
    traffic: Traffic,
    start_worker: StartWorker,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in traffic.environ.items():
        monkeypatch.setenv(name, value)
    traffic.emit([chat("small", "My card has not come."), sized("large", 70_000)])
    strict = start_worker(traffic, ROUTER_MAX_EVENT_BYTES="1000")
    traffic.wait_outcomes(2, within=90, alive=strict.assert_alive)
    assert strict.terminate() == 0

    worker = start_worker(traffic).wait_ready()
    for sent in (1, 0):
        capsys.readouterr()
        assert run(["replay", "dead-letter", "--re-emit", "--yes", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["sent"] == sent
    traffic.wait_outcomes(3, within=60, alive=worker.assert_alive)
    assert worker.terminate() == 0

    found = traffic.read()
    log = [orjson.loads(one.value) for one in found if one.topic == traffic.topics.decisions]
    assert sorted(one["event_id"] for one in log) == ["large", "small"]
    queued = [one for one in found if b'"message":' in one.value]
    assert sorted(orjson.loads(one.value)["event_id"] for one in queued) == ["large", "small"]
    assert len([one for one in found if one.topic == traffic.topics.dead_letter]) == 1
