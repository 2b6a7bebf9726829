"""Counts agree with outcomes, and what is exposed is what is declared."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from router.core.decision import Decision, PolicyRef
from router.core.event import Rejected, RejectReason
from router.core.line import Outcome
from router.core.prediction import ModelRef
from router.core.record import Source
from router.core.topics import IGNORED, REVIEW
from router.ops.declarations import DECLARED, METRIC_NAMES
from router.ops.lag import PartitionLag
from router.ops.metrics import Metrics


class FixedClock:
    def __init__(self, now: float) -> None:
        self.time = now

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time


def outcome(queue: str, reason: str = "intent", confidence: float | None = 0.97) -> Outcome:
    decision = Decision(
        schema="routing-decision/v1",
        decision_id="d",
        event_id="e",
        channel="chat",
        conversation_id="c",
        time=datetime.fromtimestamp(0, UTC),
        decided_at=datetime.fromtimestamp(0, UTC),
        queue=queue,
        reason=reason,  # type: ignore[arg-type]  # any word will do here
        explanation="",
        rule=None,
        intent="card_arrival",
        confidence=confidence,
        threshold=None,
        candidates=(),
        flags=(),
        language="en",
        priority=3,
        due_at=None,
        policy=PolicyRef("default", "1", "0"),
        model=None,
        source=Source("messages.chat", 0, 0),
        timings={},
        router_version="0",
    )
    kinds = {IGNORED: "ignored", REVIEW: "review"}
    return Outcome(
        source=Source("messages.chat", 0, 0),
        channel="chat",
        kind=kinds.get(queue, "routed"),  # type: ignore[arg-type]  # one of the kinds
        decision=decision,
        rejected=None,
        records=(),
        timings={"parse": 0.002, "infer": 0.04},
        broker_time=100.0,
    )


def dead_letter(reason: RejectReason) -> Outcome:
    return Outcome(
        source=Source("messages.email", 0, 0),
        channel="email",
        kind="dead_letter",
        decision=None,
        rejected=Rejected(reason, "$", ""),
        records=(),
        timings={"parse": 0.002},
        broker_time=100.0,
    )


def value(metrics: Metrics, name: str, /, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_every_declared_series_is_exposed_and_no_other_of_ours() -> None:
    metrics = Metrics()
    metrics.lag_from(lambda: [PartitionLag("messages.chat", 0, 1, 1.0)])
    metrics.loaded(ModelRef("m", "1", "0"), PolicyRef("p", "1", "0"))
    metrics.consumed("chat", 3)
    metrics.stage("publish", 0.004)
    outcomes = [outcome("cards"), outcome(IGNORED, "auto_reply"), dead_letter("not_json")]
    metrics.published(outcomes, 101.0)
    exposed = {
        sample.name
        for family in text_string_to_metric_families(generate_latest(metrics.registry).decode())
        for sample in family.samples
        if sample.name.startswith("router_") and not sample.name.endswith("_created")
    }
    assert exposed == METRIC_NAMES


def test_every_metric_has_a_sentence_and_its_unit_in_its_name() -> None:
    for metric in DECLARED:
        assert metric.doc.endswith(".")
        assert (metric.kind == "counter") == metric.name.endswith("_total")
        assert metric.buckets == tuple(sorted(metric.buckets))
        assert (metric.kind == "histogram") == bool(metric.buckets)


def test_each_outcome_is_counted_once_as_what_it_is() -> None:
    metrics = Metrics()
    batch = [
        outcome("cards"),
        outcome("cards"),
        outcome("fraud", "flag", None),
        outcome(REVIEW, "low_confidence", 0.3),
        outcome(IGNORED, "not_customer", None),
        dead_letter("not_json"),
    ]
    metrics.consumed("chat", 5)
    metrics.consumed("email", 1)
    metrics.published(batch, 101.0)
    labels = {"channel": "chat"}
    assert value(metrics, "router_consumed_total", channel="chat") == 5
    decisions = "router_decisions_total"
    assert value(metrics, decisions, queue="cards", reason="intent", **labels) == 2
    assert value(metrics, decisions, queue="fraud", reason="flag", **labels) == 1
    assert value(metrics, decisions, queue=REVIEW, reason="low_confidence", **labels) == 1
    assert value(metrics, "router_ignored_total", reason="not_customer") == 1
    assert value(metrics, "router_rejected_total", reason="not_json") == 1
    assert value(metrics, "router_confidence_count", queue="cards") == 2
    assert value(metrics, "router_confidence_count", queue="fraud") is None


def test_each_record_is_timed_end_to_end() -> None:
    metrics = Metrics()
    metrics.published([outcome("cards"), outcome("cards")], 100.5)
    assert value(metrics, "router_decision_seconds_count", channel="chat") == 2
    assert value(metrics, "router_decision_seconds_sum", channel="chat") == pytest.approx(1.0)


def test_a_broker_clock_ahead_of_ours_gives_no_negative_time() -> None:
    metrics = Metrics()
    metrics.published([outcome("cards")], 99.0)
    assert value(metrics, "router_decision_seconds_sum", channel="chat") == 0


def test_lag_grows_between_scrapes_while_nothing_moves() -> None:
    clock = FixedClock(110.0)
    metrics = Metrics(clock)
    metrics.lag_from(lambda: [PartitionLag("messages.chat", 2, 7, 100.0)])
    place = {"topic": "messages.chat", "partition": "2"}
    assert value(metrics, "router_lag_seconds", **place) == 10
    clock.time = 170.0
    assert value(metrics, "router_lag_seconds", **place) == 70
    assert value(metrics, "router_lag_records", **place) == 7


def test_a_partition_that_was_taken_away_is_no_longer_shown() -> None:
    metrics = Metrics(FixedClock(110.0))
    held = [PartitionLag("messages.chat", 2, 0, None)]
    metrics.lag_from(lambda: held)
    place = {"topic": "messages.chat", "partition": "2"}
    assert value(metrics, "router_lag_seconds", **place) == 0
    held.clear()
    assert value(metrics, "router_lag_seconds", **place) is None


def test_lag_survives_an_assignment_that_changes_while_it_is_read() -> None:
    metrics = Metrics(FixedClock(110.0))
    calls = []

    def changing() -> list[PartitionLag]:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("dictionary changed size during iteration")
        return [PartitionLag("messages.chat", 0, 3, 100.0)]

    metrics.lag_from(changing)
    assert value(metrics, "router_lag_records", topic="messages.chat", partition="0") == 3


def test_a_new_policy_replaces_the_old_ones_series() -> None:
    metrics = Metrics()
    metrics.loaded(ModelRef("m", "1", "0"), PolicyRef("p", "1", "0"))
    metrics.loaded(None, PolicyRef("p", "2", "0"))
    assert value(metrics, "router_policy_info", name="p", version="1") is None
    assert value(metrics, "router_policy_info", name="p", version="2") == 1
    assert value(metrics, "router_model_info", name="m", version="1") is None


def test_two_workers_in_one_process_count_apart() -> None:
    first, second = Metrics(), Metrics()
    first.consumed("chat", 4)
    assert value(second, "router_consumed_total", channel="chat") == 0
