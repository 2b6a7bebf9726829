"""Workers are killed, join and leave in mid-stream: nothing is lost, nothing out of order."""

from __future__ import annotations

import signal

import pytest

from tests.events import events
from tests.integration.bad import BAD
from tests.integration.conftest import StartWorker
from tests.integration.expected import assert_in_order, assert_stands, duplicates, outcomes
from tests.integration.traffic import Traffic

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(900)]


@pytest.mark.parametrize(("delivery", "count"), [("exactly-once", 5_000), ("at-least-once", 2_500)])
def test_every_event_stands_where_the_line_puts_it_though_workers_are_killed(
    traffic: Traffic, start_worker: StartWorker, delivery: str, count: int
) -> None:
    """Over 4 partitions; the backlog keeps the workers busy at each turn."""
    traffic.environ["ROUTER_DELIVERY"] = delivery
    mixed = list(events(count, seed=11))
    traffic.emit(mixed[: count * 2 // 5])
    first = start_worker(traffic)
    traffic.wait_outcomes(count // 10, within=180, alive=first.assert_alive)

    second = start_worker(traffic).wait_ready()
    traffic.emit([*mixed[count * 2 // 5 : count // 2], *BAD, *mixed[count // 2 :]])
    traffic.wait_outcomes(count // 2, within=180, alive=first.assert_alive)

    assert len(traffic.outcomes()) < count, "the kill comes too late to show anything"
    first.kill()
    assert first.left() == -signal.SIGKILL
    third = start_worker(traffic).wait_ready()
    traffic.wait_outcomes(count * 7 // 10, within=180, alive=third.assert_alive)

    assert second.terminate() == 0, second.log()
    traffic.wait_outcomes(len(traffic.emitted), within=300, alive=third.assert_alive)

    assert third.terminate() == 0, third.log()
    found = traffic.read()
    assert_stands(found, outcomes(traffic))
    assert_in_order(found, traffic.emitted)
    most = 0 if delivery == "exactly-once" else count // 2
    assert duplicates(found) <= most, "a kill repeats what was in flight, not half of all"
