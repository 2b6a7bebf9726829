"""Counts agree with outcomes, and what is exposed is what is declared."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from router.core.choosing import Model, ModelSet
from router.core.decision import Decision, PolicyRef
from router.core.event import Rejected, RejectReason
from router.core.line import Outcome
from router.core.prediction import ModelRef
from router.core.record import Source
from router.core.topics import IGNORED, REVIEW
from router.ops.declarations import DECLARED, METRIC_NAMES
from router.ops.lag import PartitionLag
from router.ops.metrics import Metrics
from tests.core.policy_fixtures import StubModel


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


def decision_of(outcome: Outcome) -> Decision:
    assert outcome.decision is not None
    return outcome.decision


def models(live: str, canary: str = "", share: float = 0.0) -> ModelSet:
    def model(name: str) -> Model:
        return Model(StubModel(ref=ModelRef(name, "1", "0")))

    return ModelSet(live=model(live), canary=model(canary) if canary else None, share=share)


def value(metrics: Metrics, name: str, /, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_every_declared_series_is_exposed_and_no_other_of_ours() -> None:
    metrics = Metrics()
    metrics.lag_from(lambda: [PartitionLag("messages.chat", 0, 1, 1.0)])
    metrics.in_force(models("m"))
    metrics.decides_by(PolicyRef("p", "1", "0"))
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
    metrics.published(batch, 101.0)
    labels = {"channel": "chat"}
    assert value(metrics, "router_consumed_total", channel="chat") == 5
    assert value(metrics, "router_consumed_total", channel="email") == 1
    assert value(metrics, "router_batch_size_sum") == 6
    assert value(metrics, "router_batch_size_count") == 1
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
    metrics.decides_by(PolicyRef("p", "1", "0"))
    metrics.decides_by(PolicyRef("p", "2", "0"))
    assert value(metrics, "router_policy_info", name="p", version="1") is None
    assert value(metrics, "router_policy_info", name="p", version="2") == 1


def test_the_models_in_force_are_told_by_role_and_no_others() -> None:
    metrics = Metrics()
    metrics.in_force(models("old", "trial", 0.25))
    assert value(metrics, "router_canary_share") == 0.25
    assert value(metrics, "router_model_role_info", name="trial", version="1", role="canary") == 1
    metrics.in_force(models("trial"))
    assert value(metrics, "router_canary_share") == 0
    assert value(metrics, "router_model_info", name="trial", version="1") == 1
    assert value(metrics, "router_model_role_info", name="trial", version="1", role="live") == 1
    for gone in ("old", "trial"):
        at = {"name": gone, "version": "1", "role": "canary"}
        assert value(metrics, "router_model_role_info", **at) is None
    assert value(metrics, "router_model_info", name="old", version="1") is None


def test_decisions_are_counted_by_the_model_that_answered() -> None:
    metrics = Metrics()
    answered = replace(decision_of(outcome("cards")), model=ModelRef("trial", "2", "0"))
    batch = [replace(outcome("cards"), decision=answered), outcome("cards", "rule", None)]
    metrics.published(batch, 101.0)
    assert value(metrics, "router_model_decisions_total", name="trial", version="2") == 1


def test_what_the_shadow_would_have_done_is_counted() -> None:
    metrics = Metrics()
    assert value(metrics, "router_shadow_total", agrees="false") == 0
    metrics.shadowed(5, 2)
    metrics.shadow_dropped(3)
    assert value(metrics, "router_shadow_total", agrees="true") == 5
    assert value(metrics, "router_shadow_total", agrees="false") == 2
    assert value(metrics, "router_shadow_dropped_total") == 3


def test_two_workers_in_one_process_count_apart() -> None:
    first, second = Metrics(), Metrics()
    first.published([outcome("cards")], 101.0)
    assert value(second, "router_consumed_total", channel="chat") == 0
