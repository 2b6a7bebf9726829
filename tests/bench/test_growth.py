"""The policies that growth is measured with, how queues are filled, and which ratios come of it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import get_args
from unittest.mock import Mock

import pytest

from router.core.prediction import Question
from router.policies import open_policy
from tests.bench import growth_kafka
from tests.bench.drain import Run, UnableError
from tests.bench.figures import Ratio
from tests.bench.grown_policy import grown_policy, intents
from tests.bench.growth import line_of
from tests.bench.growth_inside import SMALL, Measured, ratios, some_records
from tests.bench.growth_kafka import (
    Queues,
    Stands,
    backlog_ratios,
    measure_backlogs,
    queue_ratios,
)
from tests.bench.spreading import Spread, SpreadClassifier, shares
from tests.bench.stand import Stand


@pytest.mark.parametrize(("queues", "rules"), [SMALL, (500, 20), (16, 200)])
def test_the_routers_own_reader_takes_a_grown_policy(
    queues: int, rules: int, tmp_path: Path
) -> None:
    path = tmp_path / "policy.yaml"
    path.write_bytes(grown_policy(queues, rules))
    policy = open_policy(str(path))
    assert (len(policy.queues), len(policy.rules)) == (queues, rules)
    assert policy.intents == set(intents(queues))


def test_a_larger_policys_first_rules_are_the_smaller_ones() -> None:
    small, large = (json.loads(grown_policy(16, rules))["rules"] for rules in (20, 60))
    assert large[:20] == small
    assert len({str(rule["when"]) for rule in large}) == len(large)


def test_some_of_the_messages_speak_of_what_rules_ask_for() -> None:
    values = [record.value or b"" for record in some_records()]
    assert len(set(values)) == len(values)
    assert all(b'"country"' in value and b'"product"' in value for value in values)


@pytest.mark.parametrize("queues", [1, 16, 500])
def test_shares_are_alike_or_fall_as_a_banks_do(queues: int) -> None:
    even, bank = shares(queues, "even"), shares(queues, "bank")
    assert sum(even) == pytest.approx(1) == sum(bank)
    assert even == pytest.approx([1 / queues] * queues)
    assert bank == sorted(bank, reverse=True)
    assert bank[0] == pytest.approx(bank[-1] * queues)


def test_queues_are_filled_as_they_should_be() -> None:
    names = intents(16)
    questions = [Question("", "en")] * 4_000
    found = SpreadClassifier(names, "bank").predict(questions).answers
    counts = Counter(one.intents[0].intent for one in found)
    for name, share in zip(names, shares(16, "bank"), strict=True):
        assert counts[name] / 4_000 == pytest.approx(share, abs=0.03)


def test_sizes_are_compared_with_the_small_one_and_bounded() -> None:
    measured = {
        SMALL: Measured((100.0, 200.0), 0.0),
        SMALL._replace(queues=500): Measured((110.0, 220.0), 0.0),
        SMALL._replace(rules=2000): Measured((150.0, 200.0), 0.1),
    }
    queues, rules = ratios(measured)
    assert (queues.name, queues.each) == (
        "processor time a message in process: 500 queues / 16",
        (1.1, 1.1),
    )
    assert queues.kept
    assert rules.each == (1.5, 1.0)
    assert not rules.kept


def test_many_queues_are_shown_and_a_backlog_is_bounded() -> None:
    filled = {
        Queues(number, spread): [run(rate, 1e6 / rate)]
        for number, rate in ((16, 1000.0), (500, 400.0))
        for spread in get_args(Spread)
    }
    found = queue_ratios(filled)
    assert [one.value for one in found] == pytest.approx([0.4, 2.5, 0.4, 2.5])
    assert {one.kept for one in found} == {None}
    time, cpu, memory = backlog_ratios({20: [run(1000.0, 1.0)], 500: [run(800.0, 1.05)]})
    assert (time.value, time.kept) == (1.25, False)
    assert (cpu.kept, memory.kept) == (True, True)


@pytest.mark.parametrize(
    ("ratio", "begins"),
    [
        (Ratio("r", (1.0,), "lower", 1.1), "kept "),
        (Ratio("r", (1.2,), "lower", 1.1), "MISSED "),
        (Ratio("r", (9.0,), "lower"), "as it is "),
    ],
)
def test_a_line_says_whether_a_promise_is_kept(ratio: Ratio, begins: str) -> None:
    assert line_of(ratio).startswith(begins)


def test_a_run_that_fails_is_told_and_gives_no_ratio(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drained(stand: Stand, *_: object) -> Run:
        if stand.waiting["null"] == 500:
            raise UnableError("nothing came out")
        return run(1000.0, 1.0)

    monkeypatch.setattr(growth_kafka, "drain", drained)
    stands = Stands(Mock(nodes=[]), tmp_path)
    found = measure_backlogs(stands, (20, 500), rounds=2)
    assert [len(runs) for runs in found.values()] == [2, 0]
    assert backlog_ratios(found) == []
    assert [words.partition(":")[0] for words in stands.left_out] == [
        "500, round 1",
        "500, round 2",
    ]


def run(rate: float, cpu: float) -> Run:
    return Run(rate, cpu, 2**28, 0.0, 1.0, 1)
