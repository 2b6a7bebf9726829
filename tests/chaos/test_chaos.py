"""The short form of ``make chaos``: a few kills and a broker's death under each guarantee."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.history import Delivery, save
from tests.chaos.report import make_report, table
from tests.chaos.run import Shape, run
from tests.kafka import Cluster

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(400)]

SEED = 20


@pytest.fixture(autouse=True)
def quiet_clients() -> Iterator[None]:
    """What our own clients say while their broker is dead is no news."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("delivery", ["exactly-once", "at-least-once"])
def test_nothing_is_lost_doubled_reordered_or_routed_twice_under_violence(
    own_kafka: Cluster, tmp_path: Path, delivery: Delivery
) -> None:
    """On one node, which dies outright."""
    shape = Shape(SEED, delivery, kills=6, restarts=1, nodes=1, slots=2)
    outcome = run(shape, own_kafka, tmp_path)
    report = make_report(shape, outcome)
    save(outcome.history, tmp_path / "history.jsonl")
    assert not report.problems, f"{table(report)}\nits history and logs: {tmp_path}"
    assert report.figures["broker restarts"] == 1
