"""One worker, left to finish: each outcome once, and the metrics agree to the last record."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import jsonschema_rs
import orjson
import pytest
from aiokafka import ConsumerRecord, TopicPartition

from router.core.line import Outcome
from router.core.record import InRecord, Source
from router.core.records import TOO_LARGE_KEEPS
from router.resources import SCHEMAS
from tests.events import events, sized
from tests.integration.bad import BAD, LARGEST
from tests.integration.expected import assert_in_order, assert_stands, duplicates, outcomes
from tests.integration.traffic import Bad, Traffic, source_of
from tests.integration.worker import Counts, Worker, total
from tests.kafka import Cluster

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

NEAR = (-100, -1, 0, 1, 100)
"""Bytes around the largest event."""


@dataclass(frozen=True, slots=True)
class Run:
    """All of a run, after its end."""

    traffic: Traffic
    found: list[ConsumerRecord]
    wanted: dict[Source, Outcome]
    counts: Counts
    code: int
    bad: dict[Source, Bad]
    near: dict[int, InRecord]

    def on(self, topic: str) -> list[ConsumerRecord]:
        return [record for record in self.found if record.topic == topic]


@pytest.fixture(scope="module")
def run(kafka: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Run:
    traffic = Traffic(kafka.bootstrap, "drained.")
    traffic.create_topics()
    around = list(events(800, seed=7))
    traffic.emit(around[:100])
    # Between good ones, on the same partition: what is bad must not stop what follows.
    placed = [traffic.emit([one], partition=2)[0] for one in BAD]
    traffic.emit(around[100:200])
    near = {by: traffic.emit([sized(f"near{by}", LARGEST + by)])[0] for by in NEAR}
    traffic.emit(around[200:])
    with Worker(traffic.environ, tmp_path_factory.mktemp("drained")) as worker:
        traffic.wait_outcomes(len(traffic.emitted), within=240, alive=worker.assert_alive)
        worker.wait_until(
            lambda: total(worker.counts(), "router_consumed_total") >= len(traffic.emitted),
            "counted",
            within=30,
        )
        counts = worker.counts()
        code = worker.terminate()
    return Run(
        traffic=traffic,
        found=traffic.read(),
        wanted=outcomes(traffic),
        counts=counts,
        code=code,
        bad={record.source: one for record, one in zip(placed, BAD, strict=True)},
        near=near,
    )


def test_each_outcome_stands_once_and_in_order(run: Run) -> None:
    assert_stands(run.found, run.wanted)
    assert_in_order(run.found, run.traffic.emitted)
    assert duplicates(run.found) == 0


def test_a_queues_record_carries_the_event_as_it_was_received(run: Run) -> None:
    received = {record.source: record.value for record in run.traffic.emitted}
    topics = run.traffic.topics
    logs = (topics.decisions, topics.dead_letter)
    routed = [record for record in run.found if record.topic not in logs]
    assert len(routed) > 500
    for record in routed:
        event = received[source_of(record)]
        assert event
        assert record.value.endswith(b'"message":' + event + b"}")
        assert record.key.decode() == orjson.loads(record.value)["conversation_id"]


def test_the_decision_log_quotes_no_customer(run: Run) -> None:
    for record in run.on(run.traffic.topics.decisions):
        assert "message" not in orjson.loads(record.value)


@pytest.mark.parametrize("bad", BAD, ids=lambda one: one.name)
def test_a_bad_record_is_dead_lettered_once_with_its_reason_and_bytes(run: Run, bad: Bad) -> None:
    source = next(source for source, one in run.bad.items() if one is bad)
    (letter,) = [r for r in run.on(run.traffic.topics.dead_letter) if source_of(r) == source]
    headers = {name: value.decode() for name, value in letter.headers}
    schema = orjson.loads((SCHEMAS / "dead-letter-headers.v1.json").read_bytes())
    jsonschema_rs.Draft202012Validator(schema, validate_formats=True).validate(headers)
    assert headers["router-reason"] == bad.reason
    assert bad.field in ("*", headers["router-field"])
    assert letter.key == bad.key
    if bad.reason == "too_large":
        assert bad.value
        assert letter.value == bad.value[:TOO_LARGE_KEEPS]
        assert int(headers["router-size"]) == len(bad.value)
    else:
        assert letter.value == bad.value


@pytest.mark.parametrize("by", NEAR)
def test_an_event_near_the_limit_is_published_or_dead_lettered(run: Run, by: int) -> None:
    outcome = run.wanted[run.near[by].source]
    assert outcome.kind in ({"dead_letter"} if by > 0 else {"routed", "review"})


def test_the_metrics_agree_with_the_topics(run: Run) -> None:
    topics, counts = run.traffic.topics, run.counts
    dead = run.on(topics.dead_letter)
    log = [orjson.loads(record.value) for record in run.on(topics.decisions)]
    ignored = [one for one in log if one["queue"] == "router.ignored"]
    decided = [one for one in log if one["queue"] != "router.ignored"]

    emitted = Counter(topics.channel(record.source.topic) for record in run.traffic.emitted)
    for channel, number in emitted.items():
        assert total(counts, "router_consumed_total", channel=channel) == number

    reasons = Counter(dict(record.headers)["router-reason"].decode() for record in dead)
    assert _by(counts, "router_rejected_total", "reason") == reasons
    assert _by(counts, "router_ignored_total", "reason") == Counter(o["reason"] for o in ignored)
    labels = ("queue", "reason", "channel")
    assert _by(counts, "router_decisions_total", *labels) == Counter(
        tuple(one[label] for label in labels) for one in decided
    )
    on_queues = len(run.found) - len(log) - len(dead)
    assert len(decided) == on_queues
    assert sum(emitted.values()) == on_queues + len(dead) + len(ignored)


def test_the_histograms_count_what_was_decided(run: Run) -> None:
    counts = run.counts
    decided = total(counts, "router_decisions_total")
    ended = total(counts, "router_decision_seconds_count")
    assert decided <= ended <= len(run.traffic.emitted)
    assert total(counts, "router_batch_size_sum") == len(run.traffic.emitted)
    for stage in ("queue_wait", "parse", "read", "tokenise", "infer", "decide", "publish"):
        assert total(counts, "router_stage_seconds_count", stage=stage) > 0, stage


def test_a_drained_run_has_no_lag(run: Run) -> None:
    assert total(run.counts, "router_lag_records") == 0
    assert total(run.counts, "router_lag_seconds") == 0


def test_its_position_is_the_end_of_each_partition(run: Run) -> None:
    assert run.code == 0
    ends: dict[TopicPartition, int] = {}
    for record in run.traffic.emitted:
        place = TopicPartition(record.source.topic, record.source.partition)
        ends[place] = max(ends.get(place, 0), record.source.offset + 1)
    committed = run.traffic.committed()
    assert {place: committed.get(place) for place in ends} == ends


def _by(counts: Counts, name: str, *labels: str) -> Counter[object]:
    """A counter's values by its labels, zeros left out."""
    found: Counter[object] = Counter()
    for (series, at), value in counts.items():
        if series == name and value:
            values = tuple(dict(at)[label] for label in labels)
            found[values if len(values) > 1 else values[0]] += int(value)
    return found
