"""Workers are killed, join and leave in mid-stream: nothing is lost, nothing out of order."""

from __future__ import annotations

import signal

import pytest

from tests.events import events
from tests.integration.bad import BAD
from tests.integration.conftest import StartWorker
from tests.integration.expected import assert_in_order, assert_stands, duplicates, outcomes
from tests.integration.traffic import Traffic

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

COUNT = 5_000


def test_every_event_stands_where_the_line_puts_it_though_workers_are_killed(
    traffic: Traffic, start_worker: StartWorker
) -> None:
    """5,000 events over 4 partitions; the backlog keeps the workers busy at each turn."""
    mixed = list(events(COUNT, seed=11))
    traffic.emit(mixed[:2_000])
    first = start_worker(traffic)
    traffic.wait_outcomes(500, within=90, alive=first.assert_alive)

    second = start_worker(traffic).wait_ready()
    traffic.emit([*mixed[2_000:2_200], *BAD, *mixed[2_200:]])
    traffic.wait_outcomes(2_500, within=90, alive=first.assert_alive)

    assert len(traffic.outcomes()) < COUNT, "the kill comes too late to show anything"
    first.kill()
    assert first.left() == -signal.SIGKILL
    third = start_worker(traffic).wait_ready()
    traffic.wait_outcomes(3_500, within=90, alive=third.assert_alive)

    assert second.terminate() == 0, second.log()
    traffic.wait_outcomes(len(traffic.emitted), within=120, alive=third.assert_alive)

    assert third.terminate() == 0, third.log()
    found = traffic.read()
    assert_stands(found, outcomes(traffic))
    assert_in_order(found, traffic.emitted)
    assert duplicates(found) <= COUNT // 2, "a kill repeats what was in flight, not half of all"
