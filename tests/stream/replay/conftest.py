"""A router's topics for one test, on each broker or on Kafka alone."""

from __future__ import annotations

from functools import cache

import pytest

from router import assembly
from tests.conftest import Broker
from tests.integration.traffic import Traffic
from tests.kafka import Cluster
from tests.stream.replay.bench import Bench

_languages = cache(assembly.open_languages)


@pytest.fixture(autouse=True)
def _read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each run of the command reads the language step's model, a second of work."""
    monkeypatch.setattr(assembly, "open_languages", _languages)


@pytest.fixture
def bench(broker: Broker, topic_prefix: str, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return bench_on(broker.bootstrap, topic_prefix, monkeypatch)


@pytest.fixture
def kafka_bench(kafka: Cluster, topic_prefix: str, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return bench_on(kafka.bootstrap, topic_prefix, monkeypatch)


def bench_on(bootstrap: str, prefix: str, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setenv("ROUTER_BROKER", bootstrap)
    monkeypatch.setenv("ROUTER_TOPIC_PREFIX", prefix)
    traffic = Traffic(bootstrap, prefix, partitions=2)
    traffic.create_topics()
    return Bench(traffic)
