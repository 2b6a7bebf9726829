"""Probabilities are probabilities, whatever floats they are made from."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.core.calibration import (
    LanguageCalibration,
    StageCalibration,
    all_rounded,
    calm,
    least_rounded_to,
    platt,
    platts,
    rounded,
    sigmoid,
    softmax,
    tempered,
)

anything = st.floats(allow_nan=True, allow_infinity=True)
logits = st.lists(anything, min_size=1, max_size=80).map(np.array)
temperatures = st.floats(1e-6, 1e6)


@given(values=logits, temperature=temperatures)
def test_any_floats_give_probabilities_that_sum_to_one(
    values: np.ndarray, temperature: float
) -> None:
    for probabilities in (softmax(values), tempered(values, temperature)):
        assert probabilities.shape == values.shape
        assert ((probabilities >= 0) & (probabilities <= 1)).all()
        assert math.isclose(probabilities.sum(), 1, abs_tol=1e-9)


@given(values=st.lists(st.floats(-30, 30), min_size=1, max_size=20).map(np.array))
def test_softmax_is_its_definition_where_that_can_be_computed(values: np.ndarray) -> None:
    np.testing.assert_allclose(softmax(values), np.exp(values) / np.exp(values).sum())


@given(values=st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=20).map(np.array))
def test_a_higher_logit_is_never_less_probable(values: np.ndarray) -> None:
    ordered = tempered(values, 1.7)[np.argsort(values)]
    assert (np.diff(ordered) >= 0).all()


def test_not_a_number_is_no_evidence() -> None:
    assert softmax(np.array([math.nan, 0.0, 0.0])).tolist() == [0.0, 0.5, 0.5]
    assert softmax(np.array([math.nan, math.nan])).tolist() == [0.5, 0.5]


def test_plus_infinity_takes_everything_and_shares_it() -> None:
    assert softmax(np.array([math.inf, 5.0, math.inf, math.nan])).tolist() == [0.5, 0.0, 0.5, 0.0]


def test_where_nothing_is_left_all_are_alike() -> None:
    assert softmax(np.array([-math.inf] * 4)).tolist() == [0.25] * 4


def test_a_higher_temperature_is_less_sure() -> None:
    values = np.array([2.0, 0.0])
    assert tempered(values, 4.0)[0] < tempered(values, 1.0)[0] < tempered(values, 0.25)[0]


@given(x=anything)
def test_a_sigmoid_is_from_nothing_to_one_for_any_float(x: float) -> None:
    assert 0 <= sigmoid(x) <= 1


@given(x=st.floats(-700, 700))
def test_a_sigmoid_and_its_mirror_sum_to_one(x: float) -> None:
    assert sigmoid(x) + sigmoid(-x) == pytest.approx(1)


@given(logit=anything, a=st.floats(0.01, 100), b=st.floats(-100, 100))
def test_a_logit_becomes_a_rounded_probability_whatever_it_is(
    logit: float, a: float, b: float
) -> None:
    probability = platt(logit, a, b)
    assert 0 <= probability <= 1
    assert probability == round(probability, 4)


def test_a_scope_that_is_not_a_number_claims_nothing() -> None:
    assert platt(math.nan, 1, 9) == 0


def test_a_language_without_a_fit_of_its_own_has_that_of_the_stage() -> None:
    own = LanguageCalibration(temperature=2, scope_a=3, scope_b=4)
    stage = StageCalibration(1, 5, 6, accept=0, set_least=0, languages={"de": own})
    assert stage.of("de") == own
    assert stage.of("fr") == LanguageCalibration(1, 5, 6)


def test_an_intent_without_a_bound_of_its_own_has_that_of_the_set() -> None:
    stage = StageCalibration(1, 1, 0, accept=0, set_least=0.2, set_least_of={"fees": 0.05})
    assert (stage.least("fees"), stage.least("lost_card")) == (0.05, 0.2)


def test_rounding_keeps_four_places_and_gives_a_plain_float() -> None:
    assert rounded(np.float64(0.123456)) == 0.1235
    assert type(rounded(np.float64(0.5))) is float


@given(rows=st.lists(st.lists(anything, min_size=9, max_size=9), min_size=1, max_size=8))
def test_a_row_comes_out_to_the_last_bit_as_it_would_alone(rows: list[list[float]]) -> None:
    temperatures = np.arange(1.0, len(rows) + 1)
    together = tempered(np.array(rows), temperatures[:, np.newaxis])
    apart = [tempered(np.array(row), t) for row, t in zip(rows, temperatures, strict=True)]
    np.testing.assert_array_equal(together, np.array(apart))
    across = np.asfortranarray(np.array(rows))
    np.testing.assert_array_equal(tempered(across, temperatures[:, np.newaxis]), together)


def test_so_does_a_row_that_numpy_sums_in_parts() -> None:
    rows = np.random.default_rng(1).normal(0, 5, (40, 300))
    np.testing.assert_array_equal(softmax(rows), np.array([softmax(row) for row in rows]))


halves = st.integers(0, 9999).map(lambda number: (number + 0.5) / 10_000)
shares = st.one_of(
    st.floats(0, 1), halves, halves.map(lambda p: float(np.nextafter(p, 0))),
    halves.map(lambda p: float(np.nextafter(p, 1))),
)  # fmt: skip


@given(values=st.lists(shares, min_size=1, max_size=40))
def test_many_are_rounded_as_each_is_also_where_a_last_bit_decides(values: list[float]) -> None:
    assert all_rounded(np.array(values)).tolist() == [rounded(value) for value in values]


@given(
    logits=st.lists(st.one_of(anything, st.floats(-10, 10)), min_size=1, max_size=20),
    a=st.floats(0.01, 100),
    b=st.floats(-100, 100),
)
def test_many_logits_become_what_each_does(logits: list[float], a: float, b: float) -> None:
    size = len(logits)
    found = platts(np.array(logits), np.full(size, a), np.full(size, b))
    assert found.tolist() == [platt(logit, a, b) for logit in logits]


@given(share=shares)
def test_the_least_that_is_rounded_to_a_share_is_and_what_is_less_is_not(share: float) -> None:
    least = least_rounded_to(share)
    assert rounded(least) >= share
    assert rounded(math.nextafter(least, -1)) < share


def test_a_text_is_calm_where_every_flag_is_below_and_where_none_is_held_back() -> None:
    flags = np.array([[0.1, 0.2], [0.1, 0.3], [1.0, 1.0]])
    assert calm(flags, 0.3).tolist() == [True, False, False]
    assert calm(flags, 1.0).tolist() == [True, True, True]
    assert calm(np.empty((2, 0)), 0.0).tolist() == [True, True]
