"""The broker goes away in mid-stream and comes back: nothing is lost."""

from __future__ import annotations

import pytest

from tests.events import events
from tests.integration.conftest import StartWorker
from tests.integration.expected import assert_stands, duplicates, outcomes
from tests.integration.traffic import Traffic
from tests.kafka import Cluster

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]

COUNT = 1_500


@pytest.mark.parametrize(("how", "delivery"), [("stop", "exactly-once"), ("kill", "at-least-once")])
def test_nothing_is_lost_when_the_broker_restarts(
    own_kafka: Cluster, topic_prefix: str, start_worker: StartWorker, how: str, delivery: str
) -> None:
    """A worker may wait or leave; one that leaves is started again, as an operator's tools do."""
    traffic = Traffic(own_kafka.bootstrap, topic_prefix)
    traffic.environ["ROUTER_DELIVERY"] = delivery
    traffic.create_topics()
    traffic.emit(events(COUNT, seed=5))
    worker = start_worker(traffic)
    traffic.wait_outcomes(300, within=60, alive=worker.assert_alive)

    node = own_kafka.nodes[0]
    node.stop() if how == "stop" else node.kill()
    own_kafka.restart(node)

    workers = [worker]

    def supervise() -> None:
        if workers[-1].process.poll() is not None:
            assert workers[-1].left() in (3, 5, 6), workers[-1].log()
            workers.append(start_worker(traffic))
        assert len(workers) < 6, "\n".join(one.log() for one in workers)

    traffic.wait_outcomes(COUNT, within=120, alive=supervise)
    assert workers[-1].terminate() == 0, workers[-1].log()
    found = traffic.read()
    assert_stands(found, outcomes(traffic))
    assert delivery == "at-least-once" or duplicates(found) == 0
