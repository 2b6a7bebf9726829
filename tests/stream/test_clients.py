"""The settings of our clients on which the guarantees rest."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import aiokafka
import pytest

from router.settings import Settings
from router.stream.assignor import SteadyAssignor
from router.stream.producers import BatchProducer, transactional_producers
from router.stream.thread import BatchThread

SETTINGS = Settings()


class Client:
    """What one was made with."""

    def __init__(self, **options: Any) -> None:
        self.options = options


@pytest.fixture(autouse=True)
def clients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aiokafka, "AIOKafkaConsumer", Client)
    monkeypatch.setattr(aiokafka, "AIOKafkaProducer", Client)


def options_of(client: Any) -> dict[str, Any]:
    return dict(client.options)


def transport(*, idempotent: bool) -> Any:
    return SimpleNamespace(settings=SETTINGS, idempotent=idempotent, assignor=SteadyAssignor({}))


def test_the_consumer_reads_what_is_committed_and_moves_and_commits_nothing_by_itself() -> None:
    thread = BatchThread.__new__(BatchThread)
    made = options_of(thread._create_worker_consumer(transport(idempotent=True)))
    assert made["isolation_level"] == "read_committed"
    assert made["auto_offset_reset"] == "none"
    assert made["enable_auto_commit"] is False
    assert [type(one) for one in made["partition_assignment_strategy"]] == [SteadyAssignor]
    assert made["group_id"] == SETTINGS.group
    assert made["max_poll_interval_ms"] > 3600_000, "a slow batch is no reason to leave the group"


@pytest.mark.parametrize("idempotent", [True, False])
def test_a_producer_waits_for_all_replicas_and_writes_once_where_the_broker_can(
    idempotent: bool,
) -> None:
    producer = BatchProducer.__new__(BatchProducer)
    producer.transport = transport(idempotent=idempotent)
    made = options_of(producer._new_producer())
    assert made["acks"] == "all"
    assert made["enable_idempotence"] is idempotent


def test_a_transactional_producer_is_made_under_the_id_that_is_asked_for() -> None:
    made = options_of(transactional_producers(SETTINGS)("an id"))
    assert made["transactional_id"] == "an id"
    assert made["acks"] == "all"
