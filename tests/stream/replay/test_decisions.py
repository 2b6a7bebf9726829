"""Past input on a real broker, decided anew: exactly what would change, and nothing written."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from router.cli.main import run
from router.core.redeciding import Comparison
from router.core.replaying import Judge
from router.resources import DEFAULT_POLICY
from router.settings import Settings
from router.stream.replay_decisions import Period, redecide
from router.stream.replay_log import open_log
from tests.events import chat, events
from tests.integration.traffic import Traffic
from tests.kafka import Cluster, leash
from tests.stream.replay.bench import Bench, bad, line_of

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(120)]

COUNT = 300
BEFORE, AFTER = 0.0, datetime(2100, 1, 1, tzinfo=UTC).timestamp()


@pytest.fixture(scope="module")
def bench(kafka: Cluster) -> Bench:
    """Decided input; three of it are dead letters."""
    traffic = Traffic(kafka.bootstrap, f"redecide{leash.free_ports(1)[0]}.", partitions=2)
    traffic.create_topics()
    traffic.emit([*events(COUNT, seed=11), bad("a"), bad("b"), bad("c")])
    made = Bench(traffic)
    made.work()
    return made


@pytest.fixture
def environ(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROUTER_BROKER", bench.settings.broker)
    monkeypatch.setenv("ROUTER_TOPIC_PREFIX", bench.settings.topic_prefix)


@pytest.fixture
def changed(bench: Bench, tmp_path: Path) -> Settings:
    """Settings with a policy in which one rule sends elsewhere."""
    policy = yaml.safe_load(DEFAULT_POLICY.read_text())
    used = Counter(one["rule"] for one in bench.decisions().values() if one["rule"])
    name = used.most_common(1)[0][0]
    rule = next(one for one in policy["rules"] if one["name"] == name)
    rule["queue"] = next(queue for queue in policy["queues"] if queue != rule["queue"])
    file = tmp_path / "next.yaml"
    file.write_text(yaml.safe_dump(policy, sort_keys=False))
    return replace(bench.settings, policy=str(file))


def compare(bench: Bench, line: Judge, **period: Any) -> Comparison:
    topics = period.pop("topics", bench.topics.inputs)
    asked = Period(
        topics=topics,
        first=period.pop("first", BEFORE),
        last=period.pop("last", AFTER),
        limit=period.pop("limit", None),
        keep=period.pop("keep", 1000),
    )
    return asyncio.run(redecide(bench.settings, line, asked, lambda *_: None))


def test_the_same_policy_changes_nothing_and_nothing_is_written(bench: Bench) -> None:
    ends = bench.ends()
    found = compare(bench, line_of(bench.settings))
    assert bench.ends() == ends
    assert (found.records, found.unmatched, found.changed) == (COUNT + 3, 3, 0)
    assert found.queues["(none)", "router.dead-letter"] == 3
    made = Counter(one["queue"] for one in bench.decisions().values())
    assert {old: n for (old, _), n in found.queues.items() if old != "(none)"} == made


def test_a_changed_policy_shows_exactly_what_it_changes(bench: Bench, changed: Settings) -> None:
    old = bench.decisions()
    new = {}
    for outcome in line_of(changed).route(bench.inputs(), 0.0):
        if outcome.decision is not None:
            new[outcome.decision.decision_id] = outcome.decision
    expected = {
        name: (old[name]["queue"], one.queue, old[name]["reason"], one.reason)
        for name, one in new.items()
        if (old[name]["queue"], old[name]["reason"]) != (one.queue, one.reason)
    }
    assert expected
    ends = bench.ends()
    found = compare(bench, line_of(changed))
    assert bench.ends() == ends
    assert {
        one.decision_id: (one.old.queue, one.new.queue, one.old.reason, one.new.reason)
        for one in found.changes
    } == expected
    assert found.changed == len(expected)


def test_the_period_the_topic_and_the_limit_bound_what_is_read(bench: Bench) -> None:
    line = line_of(bench.settings)
    assert compare(bench, line, last=1.0).records == 0
    assert compare(bench, line, first=AFTER - 1).records == 0
    emails = compare(bench, line, topics=(bench.topics.email,))
    assert 0 < emails.records < COUNT
    assert emails.unmatched == 0
    cut = compare(bench, line, limit=50)
    assert (cut.records, cut.changed) == (50, 0)


def test_a_period_begins_and_ends_at_broker_times(kafka: Cluster, topic_prefix: str) -> None:
    bench = Bench(Traffic(kafka.bootstrap, topic_prefix, partitions=2))
    bench.traffic.create_topics()
    for number in range(3):
        bench.traffic.emit([chat(f"e{number}", "hello")])
    times = sorted(one.broker_time for one in bench.inputs())
    bench.work()

    async def between(first: float, last: float) -> int:
        partitions = {bench.topics.chat: 2}
        async with open_log(bench.settings) as log:
            found = await log.between(partitions, first, last)
        return sum(end - start for start, end in found.values())

    assert asyncio.run(between(times[0], times[2])) == 2
    assert asyncio.run(between(times[1], times[2] + 0.001)) == 2
    assert asyncio.run(between(times[2] + 0.001, AFTER)) == 0


def test_the_command_prints_it_without_words_and_fails_where_it_is_asked_to(
    bench: Bench, environ: None, changed: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    period = ["--from", "2020-01-01T00:00:00Z", "--to", "2100-01-01T00:00:00+00:00"]
    args = ["replay", "decisions", *period, "--policy", changed.policy]
    assert run([*args, "--json", "--show", "3"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["records"] == COUNT + 3
    assert (found["matched"], found["unmatched"]) == (COUNT, 3)
    assert 0 < found["changed"] == round(found["share_changed"] * COUNT)
    assert len(found["changes"]) == min(3, found["changed"])
    assert sum(row["count"] for row in found["queues"]) == COUNT + 3
    assert run([*args, "--fail-on-change"]) == 1
    told = capsys.readouterr().out
    assert "decided again" in told
    assert "My new card" not in told


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        (["--from", "today", "--to", "2100-01-01T00:00:00Z"], "expected RFC 3339"),
        (["--from", "2020-01-01T00:00:00", "--to", "2100-01-01T00:00:00Z"], "expected RFC 3339"),
        (["--from", "2021-01-01T00:00:00Z", "--to", "2020-01-01T00:00:00Z"], "must be before"),
        (
            ["--from", "2020-01-01T00:00:00Z", "--to", "2021-01-01T00:00:00Z", "--topic", "x"],
            "x is no input topic",
        ),
    ],
)
def test_what_was_asked_wrongly_is_told(
    args: list[str], problem: str, environ: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["replay", "decisions", *args]) == 2
    assert problem in capsys.readouterr().err
