"""The broker goes away in mid-stream and comes back: nothing is lost."""

from __future__ import annotations

import pytest

from tests.events import events
from tests.integration.conftest import StartWorker
from tests.integration.expected import assert_in_order, assert_stands, duplicates, outcomes
from tests.integration.traffic import Traffic
from tests.kafka import Cluster

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]

COUNT = 1_500
LEFT = (3, 5, 6)
"""Exit codes of a worker that could not go on."""


@pytest.fixture(params=["exactly-once", "at-least-once"])
def busy(own_kafka: Cluster, topic_prefix: str, request: pytest.FixtureRequest) -> Traffic:
    """A backlog, under each guarantee."""
    if not own_kafka.nodes[0].running:  # as a failed test may leave it
        own_kafka.restart(own_kafka.nodes[0])
    traffic = Traffic(own_kafka.bootstrap, topic_prefix)
    traffic.environ["ROUTER_DELIVERY"] = request.param
    traffic.create_topics()
    traffic.emit(events(COUNT, seed=5))
    return traffic


def finish(traffic: Traffic, start_worker: StartWorker) -> None:
    """Let one more worker do the rest, and see that all stands."""
    worker = start_worker(traffic).wait_ready()
    traffic.wait_outcomes(COUNT, within=120, alive=worker.assert_alive)
    assert worker.terminate() == 0, worker.log()
    found = traffic.read()
    assert_stands(found, outcomes(traffic))
    assert_in_order(found, traffic.emitted)
    exactly_once = traffic.environ["ROUTER_DELIVERY"] == "exactly-once"
    assert duplicates(found) == 0 or not exactly_once


def test_a_short_outage_is_waited_out_or_left(
    own_kafka: Cluster, busy: Traffic, start_worker: StartWorker
) -> None:
    worker = start_worker(busy)
    busy.wait_outcomes(300, within=60, alive=worker.assert_alive)
    own_kafka.nodes[0].stop()
    own_kafka.restart(own_kafka.nodes[0])
    if worker.process.poll() is None:
        before = len(busy.outcomes())
        busy.wait_outcomes(min(COUNT, before + 1), within=60)
        code = worker.terminate()
        assert code in (0, *LEFT), worker.log()
    else:
        assert worker.left() in LEFT, worker.log()
    finish(busy, start_worker)


def test_a_long_outage_is_left_in_bounded_time_and_nothing_is_lost(
    own_kafka: Cluster, busy: Traffic, start_worker: StartWorker
) -> None:
    worker = start_worker(busy, ROUTER_REQUEST_TIMEOUT="5")
    busy.wait_outcomes(300, within=60, alive=worker.assert_alive)
    node = own_kafka.nodes[0]
    node.kill()
    assert worker.left(within=60) in LEFT, worker.log()
    own_kafka.restart(node)
    finish(busy, start_worker)
