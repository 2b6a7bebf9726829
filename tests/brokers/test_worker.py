"""`router worker` on each broker: a handful of events, each where the line puts it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Broker
from tests.events import events
from tests.integration.bad import BAD
from tests.integration.expected import assert_in_order, assert_stands, duplicates, outcomes
from tests.integration.traffic import Traffic
from tests.integration.worker import Worker

pytestmark = pytest.mark.timeout(600)


def test_a_worker_routes_and_leaves(broker: Broker, topic_prefix: str, tmp_path: Path) -> None:
    traffic = Traffic(broker.bootstrap, topic_prefix, partitions=2)
    traffic.create_topics()
    with Worker(traffic.environ, tmp_path) as worker:
        worker.wait_ready()
        traffic.emit([*events(100, seed=2), *BAD, *events(100, seed=3)])
        traffic.wait_outcomes(len(traffic.emitted), within=180, alive=worker.assert_alive)
        assert worker.terminate() == 0
    found = traffic.read()
    assert_stands(found, outcomes(traffic))
    assert_in_order(found, traffic.emitted)
    assert duplicates(found) == 0


def test_another_worker_takes_over_from_one_that_left(
    broker: Broker, topic_prefix: str, tmp_path: Path
) -> None:
    traffic = Traffic(broker.bootstrap, topic_prefix, partitions=2)
    traffic.create_topics()
    for seed in (4, 5):
        traffic.emit(events(50, seed=seed))
        with Worker(traffic.environ, tmp_path) as worker:
            traffic.wait_outcomes(len(traffic.emitted), within=180, alive=worker.assert_alive)
            assert worker.terminate() == 0
    found = traffic.read()
    assert_stands(found, outcomes(traffic))
    assert duplicates(found) == 0, "the second starts where the first committed"
