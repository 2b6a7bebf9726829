"""Percentiles, ratios of rounds, and processor time between two looks."""

from __future__ import annotations

import random

import pytest

from tests.bench.figures import (
    Latency,
    Ratio,
    Sample,
    cpu_at,
    latencies,
    middle,
    percentile,
    ratio_of,
)


def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed() -> None:
    ordered = [float(n) for n in range(1, 1001)]
    found = [percentile(ordered, share) for share in (0.5, 0.95, 0.99, 0.999)]
    assert found == [500, 950, 990, 999]
    assert percentile([3.0], 0.999) == 3.0


def test_no_values_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_latencies_come_in_any_order() -> None:
    waits = [float(n) for n in range(1, 1001)]
    random.Random(1).shuffle(waits)  # noqa: S311 - reproducible, not secret
    assert latencies(waits) == Latency(500, 950, 990, 999)


def test_the_middle_of_rounds_is_each_percentiles_own() -> None:
    rounds = [Latency(1, 5, 9, 20), Latency(2, 4, 8, 30), Latency(3, 6, 7, 10)]
    assert middle(rounds) == Latency(2, 5, 8, 20)


def test_processor_time_between_two_looks_is_on_the_line_between_them() -> None:
    looks = [Sample(10.0, 1.0, 0), Sample(12.0, 3.0, 0), Sample(13.0, 3.5, 0)]
    assert cpu_at(looks, 11.0) == 2.0
    assert cpu_at(looks, 12.5) == 3.25
    assert (cpu_at(looks, 9.0), cpu_at(looks, 99.0)) == (1.0, 3.5)


def test_a_ratio_is_taken_round_by_round() -> None:
    ratio = ratio_of("r", [10, 30, 40], [10, 20, 20])
    assert ratio is not None
    assert ratio.each == (1.0, 1.5, 2.0)
    assert ratio.value == 1.5
    assert ratio.noise == pytest.approx(1 / 1.5)


@pytest.mark.parametrize(("ours", "theirs"), [([], []), ([1.0], []), ([1.0, 2.0], [1.0])])
def test_rounds_that_are_missing_give_no_ratio(ours: list[float], theirs: list[float]) -> None:
    assert ratio_of("r", ours, theirs) is None


@pytest.mark.parametrize(
    ("ratio", "kept"),
    [
        (Ratio("r", (0.96,), bound=0.95), True),
        (Ratio("r", (0.94,), bound=0.95), False),
        (Ratio("r", (1.1,), "lower", 1.15), True),
        (Ratio("r", (1.2,), "lower", 1.15), False),
        (Ratio("r", (1.2,)), None),
    ],
)
def test_a_promise_is_kept_on_its_own_side_of_the_bound(ratio: Ratio, kept: bool | None) -> None:
    assert ratio.kept is kept
