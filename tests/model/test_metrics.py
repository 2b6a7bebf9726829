"""Each metric against numbers worked out by hand, or against its definition."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.model import metrics

RIGHT = np.array([True, True, False, True])
CONFIDENCE = np.array([0.9, 0.8, 0.7, 0.6])

scores = st.lists(st.integers(0, 10).map(float), min_size=1, max_size=12).map(np.array)


def test_macro_f1_weighs_each_label_the_same() -> None:
    # a: 2 hits of 3 given and 2 real → 0.8; b: none of 1 real → 0.
    assert metrics.macro_f1(["a", "a", "b"], ["a", "a", "a"]) == pytest.approx(0.4)


def test_calibration_error_is_the_gap_between_confidence_and_accuracy() -> None:
    two = metrics.calibration_error(CONFIDENCE, RIGHT, bins=2)
    assert two == pytest.approx((abs(0.65 - 0.5) + abs(0.85 - 1.0)) / 2)
    assert metrics.calibration_error(np.ones(5), np.ones(5, bool)) == 0


def test_brier_is_nothing_for_the_truth_and_two_for_a_sure_mistake() -> None:
    sure = np.array([[1.0, 0.0]])
    assert metrics.brier(sure, np.array([0])) == 0
    assert metrics.brier(sure, np.array([1])) == 2
    assert metrics.brier(sure, np.array([-1])) == 2


def test_the_risk_curve_answers_the_surest_first() -> None:
    coverage, risk = metrics.risk_curve(CONFIDENCE, RIGHT)
    assert coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert risk.tolist() == pytest.approx([0, 0, 1 / 3, 1 / 4])
    assert metrics.area_under_risk(CONFIDENCE, RIGHT) == pytest.approx((1 / 3 + 1 / 4) / 4)


def test_texts_of_one_confidence_are_answered_together() -> None:
    coverage, risk = metrics.risk_curve(np.array([0.5, 0.5]), np.array([True, False]))
    assert (coverage.tolist(), risk.tolist()) == ([1.0], [0.5])


def test_coverage_at_risk_is_the_largest_share_within_the_error() -> None:
    right = np.ones(100, bool)
    right[[40, 97]] = False
    confidence = np.linspace(1, 0, 100)
    shares = metrics.coverage_at_risk(confidence, right)
    assert shares == {"0.01": 0.4, "0.02": 1.0, "0.05": 1.0}
    shares = metrics.coverage_at_risk(confidence[:97], right[:97])
    assert shares["0.01"] == pytest.approx(40 / 97)


def test_nothing_is_covered_where_the_surest_is_wrong() -> None:
    shares = metrics.coverage_at_risk(np.array([0.9, 0.8]), np.array([False, True]))
    assert set(shares.values()) == {0.0}


@given(inside=scores, outside=scores)
def test_separation_is_how_often_a_pair_stands_in_order(
    inside: metrics.Floats, outside: metrics.Floats
) -> None:
    pairs = list(itertools.product(inside, outside))
    wins = sum((i > o) + (i == o) / 2 for i, o in pairs)
    assert metrics.separation(inside, outside) == pytest.approx(wins / len(pairs))


def test_the_share_that_passes_is_taken_where_95_percent_in_scope_do() -> None:
    inside = np.arange(100.0)
    assert metrics.false_in_scope_at_95(inside, np.array([0.0, 3.0, 4.0, 50.0])) == 0.5
