"""Each metric against numbers worked out by hand, or against its definition written out slowly."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.model import metrics

RIGHT = np.array([True, True, False, True])
CONFIDENCE = np.array([0.9, 0.8, 0.7, 0.6])

scores = st.lists(st.integers(0, 10).map(float), min_size=1, max_size=12).map(np.array)
answers = st.lists(st.tuples(st.integers(0, 10), st.booleans()), min_size=1, max_size=25).map(
    lambda pairs: (
        np.array([confidence / 10 for confidence, _ in pairs]),
        np.array([right for _, right in pairs]),
    )
)
labels = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd")), min_size=1)


def test_macro_f1_weighs_each_label_the_same() -> None:
    # a: 2 hits of 3 given and 2 real → 0.8; b: none of 1 real → 0.
    assert metrics.macro_f1(["a", "a", "b"], ["a", "a", "a"]) == pytest.approx(0.4)
    assert metrics.macro_f1([], []) == 0


@given(labels)
def test_macro_f1_is_the_mean_of_precision_and_recall_harmonised(
    pairs: list[tuple[str, str]],
) -> None:
    f1s = []
    for label in {name for pair in pairs for name in pair}:
        hits = sum(truth == answer == label for truth, answer in pairs)
        precision = hits / max(1, sum(answer == label for _, answer in pairs))
        recall = hits / max(1, sum(truth == label for truth, _ in pairs))
        both = precision + recall
        f1s.append(2 * precision * recall / both if both else 0.0)
    truth, answer = zip(*pairs, strict=True)
    assert metrics.macro_f1(truth, answer) == pytest.approx(sum(f1s) / len(f1s))


def test_calibration_error_is_the_gap_between_confidence_and_accuracy() -> None:
    two = metrics.calibration_error(CONFIDENCE, RIGHT, bins=2)
    assert two == pytest.approx((abs(0.65 - 0.5) + abs(0.85 - 1.0)) / 2)
    assert metrics.calibration_error(np.ones(5), np.ones(5, bool)) == 0


@given(answers, st.integers(1, 30))
def test_calibration_error_adds_up_bins_of_equal_mass(
    found: tuple[metrics.Floats, metrics.Bools], bins: int
) -> None:
    confidence, right = found
    pairs = sorted(zip(confidence, right, strict=True), key=lambda pair: pair[0])
    large, size = len(pairs) % bins, len(pairs) // bins
    error, start = 0.0, 0
    for number in range(bins):
        end = start + size + (number < large)
        part = pairs[start:end]
        error += abs(sum(c for c, _ in part) - sum(r for _, r in part)) / len(pairs)
        start = end
    assert start == len(pairs)
    assert metrics.calibration_error(confidence, right, bins) == pytest.approx(error)


def test_a_distance_is_nothing_for_the_truth_and_two_for_a_sure_mistake() -> None:
    sure = np.array([[1.0, 0.0]] * 3)
    assert metrics.squared_distances(sure, np.array([0, 1, -1])).tolist() == [0, 2, 2]


@given(st.lists(st.integers(1, 9), min_size=2, max_size=6), st.integers(-1, 1))
def test_a_distance_is_the_sum_of_squares(weights: list[int], truth: int) -> None:
    probabilities = [weight / sum(weights) for weight in weights]
    wanted = sum((p - (place == truth)) ** 2 for place, p in enumerate(probabilities))
    wanted += truth == -1
    (found,) = metrics.squared_distances(np.array([probabilities]), np.array([truth]))
    assert found == pytest.approx(wanted)


def test_the_risk_curve_answers_the_surest_first() -> None:
    coverage, risk, threshold = metrics.risk_curve(CONFIDENCE, RIGHT)
    assert coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert risk.tolist() == pytest.approx([0, 0, 1 / 3, 1 / 4])
    assert threshold.tolist() == CONFIDENCE.tolist()
    assert metrics.area_under_risk(CONFIDENCE, RIGHT) == pytest.approx((1 / 3 + 1 / 4) / 4)


def test_texts_of_one_confidence_are_answered_together() -> None:
    coverage, risk, _ = metrics.risk_curve(np.array([0.5, 0.5]), np.array([True, False]))
    assert (coverage.tolist(), risk.tolist()) == ([1.0], [0.5])


@given(answers)
def test_each_point_of_the_curve_is_what_its_threshold_answers(
    found: tuple[metrics.Floats, metrics.Bools],
) -> None:
    confidence, right = found
    points = zip(*metrics.risk_curve(confidence, right), strict=True)
    thresholds = sorted(set(confidence.tolist()), reverse=True)
    for (share, error, threshold), wanted in zip(points, thresholds, strict=True):
        answered = [r for c, r in zip(confidence, right, strict=True) if c >= wanted]
        assert threshold == wanted
        assert share == pytest.approx(len(answered) / len(right))
        assert error == pytest.approx(1 - sum(answered) / len(answered))


@given(answers)
def test_aurc_and_coverage_at_risk_try_every_threshold(
    found: tuple[metrics.Floats, metrics.Bools],
) -> None:
    confidence, right = found
    area, before = 0.0, 0
    best = dict.fromkeys(("0.01", "0.02", "0.05"), 0.0)
    for threshold in sorted(set(confidence.tolist()), reverse=True):
        answered = [r for c, r in zip(confidence, right, strict=True) if c >= threshold]
        error = answered.count(False) / len(answered)
        area += (len(answered) - before) / len(right) * error
        before = len(answered)
        for risk in best:
            if error <= float(risk):
                best[risk] = len(answered) / len(right)
    assert metrics.area_under_risk(confidence, right) == pytest.approx(area)
    assert metrics.coverage_at_risk(confidence, right) == pytest.approx(best)


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


@given(inside=scores, outside=scores)
def test_the_threshold_of_95_percent_is_the_highest_that_keeps_them(
    inside: metrics.Floats, outside: metrics.Floats
) -> None:
    keeping = [t for t in inside if sum(inside >= t) >= math.ceil(0.95 * len(inside))]
    passed = sum(outside >= max(keeping)) / len(outside)
    assert metrics.false_in_scope_at_95(inside, outside) == pytest.approx(passed)
