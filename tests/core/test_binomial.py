"""The bounds against the definition, in exact fractions."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.core.binomial import at_most, fewest, upper_bound

RATES = st.fractions(Fraction(1, 1000), Fraction(999, 1000), max_denominator=1000)


def by_definition(errors: int, n: int, rate: Fraction) -> Fraction:
    return sum(
        (comb(n, k) * rate**k * (1 - rate) ** (n - k) for k in range(min(errors, n) + 1)),
        Fraction(0),
    )


@given(st.integers(0, 60), st.integers(0, 60), RATES)
def test_the_tail_is_the_sum_of_its_definition(errors: int, n: int, rate: Fraction) -> None:
    expected = float(by_definition(errors, n, rate))
    assert at_most(errors, n, float(rate)) == pytest.approx(expected, rel=1e-9, abs=1e-300)


def test_a_tail_of_many_is_exact_too() -> None:
    expected = float(by_definition(30, 2000, Fraction(1, 50)))
    assert at_most(30, 2000, 0.02) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("errors", "n", "rate", "expected"), [(0, 0, 0.5, 1), (0, 5, 0.0, 1), (4, 5, 1.0, 0)]
)
def test_the_ends_are_what_they_must_be(errors: int, n: int, rate: float, expected: float) -> None:
    assert at_most(errors, n, rate) == expected


@given(st.integers(0, 40), st.integers(1, 400), st.floats(0.001, 0.5))
def test_the_bound_is_the_rate_at_which_the_tail_meets_the_level(
    errors: int, n: int, delta: float
) -> None:
    bound = upper_bound(errors, n, delta)
    if errors >= n:
        assert bound == 1
    else:
        assert at_most(errors, n, bound) == pytest.approx(delta, rel=1e-6)


@given(st.integers(0, 10), st.floats(0.005, 0.9), st.floats(0.001, 0.5))
def test_the_fewest_pass_and_one_less_does_not(errors: int, rate: float, delta: float) -> None:
    n = fewest(errors, rate, delta)
    assert at_most(errors, n, rate) <= delta
    assert n == errors + 1 or at_most(errors, n - 1, rate) > delta


def test_without_an_error_the_known_numbers_come_out() -> None:
    assert fewest(0, 0.02, 0.05) == 149
    assert upper_bound(0, 149, 0.05) == pytest.approx(1 - 0.05 ** (1 / 149))
