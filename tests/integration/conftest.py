"""A router's own topics on a real Kafka, and real workers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from tests.integration.traffic import Traffic
from tests.integration.worker import Worker
from tests.kafka import Cluster


class StartWorker(Protocol):
    """Starts one more worker; it is gone when the test is."""

    def __call__(self, traffic: Traffic, **environ: str) -> Worker: ...


@pytest.fixture
def traffic(kafka: Cluster, topic_prefix: str) -> Traffic:
    """A router's topics, made, on the shared node."""
    made = Traffic(kafka.bootstrap, topic_prefix)
    made.create_topics()
    return made


@pytest.fixture
def start_worker(tmp_path: Path) -> Iterator[StartWorker]:
    with ExitStack() as workers:

        def start(traffic: Traffic, **environ: str) -> Worker:
            return workers.enter_context(Worker(traffic.environ | environ, tmp_path))

        yield start
