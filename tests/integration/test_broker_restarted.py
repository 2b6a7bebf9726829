"""The broker goes away in mid-stream and comes back: nothing is lost."""

from __future__ import annotations

import contextlib
import subprocess

import pytest

from tests.events import events
from tests.integration.conftest import StartWorker
from tests.integration.expected import assert_in_order, assert_stands, duplicates, outcomes
from tests.integration.traffic import Traffic
from tests.kafka import Cluster

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

COUNT = 2_000
LEFT = (3, 5, 6)
"""Exit codes of a worker that could not go on."""


@pytest.mark.parametrize(
    ("delivery", "outage"),
    [("exactly-once", (0, "30")), ("at-least-once", (20, "5"))],
    ids=["short outage", "longer than its patience"],
)
def test_nothing_is_lost_when_the_broker_is_killed_and_comes_back(
    own_kafka: Cluster,
    topic_prefix: str,
    start_worker: StartWorker,
    delivery: str,
    outage: tuple[float, str],
) -> None:
    """``outage``: its seconds, and the worker's patience with the broker. A worker may wait or
    leave; one that left is started again, as an operator's tools do."""
    seconds, patience = outage
    busy = Traffic(own_kafka.bootstrap, topic_prefix)
    busy.environ |= {"ROUTER_DELIVERY": delivery, "ROUTER_REQUEST_TIMEOUT": patience}
    busy.create_topics()
    busy.emit(events(COUNT, seed=5))
    worker = start_worker(busy)
    busy.wait_outcomes(200, within=180, alive=worker.assert_alive)
    node = own_kafka.nodes[0]
    node.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):
        worker.process.wait(seconds)
    own_kafka.restart(node)
    assert len(busy.outcomes()) < COUNT, "the outage comes too late to show anything"

    with contextlib.suppress(AssertionError):  # it may yet find that it must leave
        busy.wait_outcomes(COUNT, within=60, alive=worker.assert_alive)
    if worker.process.poll() is not None:
        assert worker.left() in LEFT, worker.log()
        worker = start_worker(busy).wait_ready()
    busy.wait_outcomes(COUNT, within=180, alive=worker.assert_alive)
    assert worker.terminate() == 0, worker.log()

    found = busy.read()
    assert_stands(found, outcomes(busy))
    assert_in_order(found, busy.emitted)
    assert duplicates(found) == 0 or delivery == "at-least-once"
