"""Fitting finds what the data were made with."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.core.calibration import sigmoid, softmax
from router.training.fit import fit_calibration, fit_platt, fit_temperature, set_least
from router.training.quantise import PRODUCT_LIMIT, TABLE_LIMIT, by_column, by_row


@pytest.mark.parametrize("true", [0.5, 1.0, 3.0])
def test_the_temperature_of_the_data_is_found(true: float) -> None:
    random = np.random.default_rng(1)
    logits = random.normal(0, 3, (4000, 5))
    intents = np.array([random.choice(5, p=softmax(row / true)) for row in logits])
    assert fit_temperature(logits, intents) == pytest.approx(true, rel=0.08)


def test_platts_line_is_found_with_classes_weighed_alike() -> None:
    random = np.random.default_rng(2)
    logits = random.normal(0, 2, 20_000)
    positive = random.random(20_000) < [sigmoid(1.5 * x) for x in logits]
    a, b = fit_platt(logits, positive)
    assert a == pytest.approx(1.5, rel=0.1)
    assert b == pytest.approx(0, abs=0.1)


def test_classes_that_do_not_overlap_give_a_finite_line() -> None:
    a, b = fit_platt(np.array([-3.0, -2.0, 2.0, 3.0]), np.array([False, False, True, True]))
    assert math.isfinite(a)
    assert math.isfinite(b)
    assert a > 0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=200), st.sampled_from([0.8, 0.9, 0.95]))
def test_a_set_threshold_covers_at_least_what_it_promises(
    right: list[float], coverage: float
) -> None:
    least = set_least(np.array(right), coverage)
    assert np.mean(np.array(right) >= round(least - 1e-4, 4)) >= coverage


def test_a_whole_calibration_is_fitted_from_a_stages_numbers() -> None:
    random = np.random.default_rng(3)
    intents = random.integers(0, 4, 300)
    logits = np.eye(4)[intents] * 4 + random.normal(0, 1, (300, 4))
    scope = np.concatenate((random.normal(2, 1, 300), random.normal(-2, 1, 200)))
    fitted = fit_calibration(logits, intents, scope, np.arange(500) < 300)
    # Of two normal distributions of variance 1, so far apart, the log-odds are 4 times the logits'.
    assert fitted.temperature == pytest.approx(1 / 4, rel=0.3)
    assert fitted.scope_a == pytest.approx(4, rel=0.3)
    assert fitted.accept == 0
    assert 0 < fitted.set_least < 1


weights = st.integers(1, 6).flatmap(
    lambda width: st.lists(
        st.lists(st.floats(-1e4, 1e4, width=32), min_size=width, max_size=width),
        min_size=1,
        max_size=6,
    )
)


@settings(max_examples=200)
@given(values=weights)
def test_a_quantised_weight_is_within_half_a_step_and_within_its_limit(
    values: list[list[float]],
) -> None:
    matrix = np.array(values, np.float32)
    for quantise, limit in ((by_column, PRODUCT_LIMIT), (by_row, TABLE_LIMIT)):
        whole, scale = quantise(matrix)
        assert np.abs(whole.astype(int)).max() <= limit
        # Half a step, and what float32 loses in the division.
        assert (np.abs(whole * scale - matrix) <= 0.501 * scale).all()
