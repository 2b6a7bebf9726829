"""Fitting finds what the data were made with."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.core.calibration import sigmoid, softmax
from router.training.fit import (
    ENOUGH,
    NO_INTENT,
    Measured,
    fit_calibration,
    fit_platt,
    fit_temperature,
)
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


def measured(**given: Any) -> Measured:
    """Of 300 texts with one of four intents and 200 out of scope, all English, without flags."""
    random = np.random.default_rng(3)
    intents = random.integers(0, 4, 300)
    logits = np.eye(4)[intents] * 4 + random.normal(0, 1, (300, 4))
    whole: dict[str, Any] = {
        "logits": np.concatenate((logits, random.normal(0, 1, (200, 4)))),
        "intents": np.concatenate((intents, np.full(200, NO_INTENT))),
        "scope_logits": np.concatenate((random.normal(2, 1, 300), random.normal(-2, 1, 200))),
        "in_scope": np.arange(500) < 300,
        "languages": ["en"] * 500,
        "flag_logits": np.zeros((500, 0)),
        "flags": np.zeros((500, 0), bool),
    } | given
    return Measured(**{"told": np.ones(len(whole["logits"]), bool)} | whole)


NAMES = ("a", "b", "c", "d")


def test_a_class_without_a_text_leaves_the_plain_sigmoid() -> None:
    assert fit_platt(np.array([1.0, 2.0]), np.array([True, True])) == (1.0, 0.0)


def test_a_whole_calibration_is_fitted_from_a_stages_numbers() -> None:
    fitted = fit_calibration(measured(), NAMES)
    # Of two normal distributions of variance 1, so far apart, the log-odds are 4 times the logits'.
    assert fitted.temperature == pytest.approx(1 / 4, rel=0.3)
    assert fitted.scope_a == pytest.approx(4, rel=0.3)
    assert fitted.accept == 0
    assert 0 < fitted.set_least < 1
    assert (fitted.flags, fitted.languages) == ({}, {})


def test_a_language_with_enough_texts_gets_what_is_fitted_on_them_and_the_others_do_not() -> None:
    base = measured()
    scale = np.concatenate((np.ones(500), np.full(500, 0.5), np.full(50, 0.4)))
    twice = np.concatenate((np.arange(500), np.arange(500), np.arange(50)))
    texts = measured(
        logits=base.logits[twice] * scale[:, None],
        intents=base.intents[twice],
        scope_logits=base.scope_logits[twice] + 3 * (scale == 0.5),
        in_scope=base.in_scope[twice],
        languages=["en"] * 500 + ["de"] * 500 + ["pl"] * 50,
        flag_logits=np.zeros((1050, 0)),
        flags=np.zeros((1050, 0), bool),
    )
    fitted = fit_calibration(texts, NAMES)
    assert set(fitted.languages) == {"en", "de"}
    english, german = fitted.languages["en"], fitted.languages["de"]
    assert german.temperature == pytest.approx(english.temperature / 2, rel=0.01)
    assert german.scope_a == pytest.approx(english.scope_a, rel=0.01)
    assert german.scope_b == pytest.approx(english.scope_b - 3 * english.scope_a, rel=0.01)
    assert (fitted.of("pl").temperature, fitted.of("pl").scope_a) == (
        fitted.temperature,
        fitted.scope_a,
    )


def test_a_language_without_texts_out_of_scope_keeps_the_stages_scope() -> None:
    languages = ["de" if i < ENOUGH else "en" for i in range(500)]
    fitted = fit_calibration(measured(languages=languages), NAMES)
    german = fitted.languages["de"]
    assert german.temperature != fitted.temperature
    assert (german.scope_a, german.scope_b) == (fitted.scope_a, fitted.scope_b)


def test_each_flag_gets_its_pair_though_few_texts_carry_it() -> None:
    random = np.random.default_rng(4)
    flags = np.column_stack((np.arange(500) % 20 == 0, np.zeros(500, bool)))
    logits = np.column_stack((np.where(flags[:, 0], 1.0, -3.0), np.zeros(500)))
    logits += random.normal(0, 1, logits.shape)
    fitted = fit_calibration(measured(flag_logits=logits, flags=flags), NAMES, ("fraud", "none"))
    assert set(fitted.flags) == {"fraud", "none"}
    a, b = fitted.flags["fraud"]
    # Both classes weigh alike: the probability is a half in the middle between their means.
    assert -b / a == pytest.approx(-1, abs=0.4)
    assert fitted.flags["none"] == (1.0, 0.0)


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
