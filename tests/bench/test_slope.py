"""A slope is found where one was drawn, and not where there is noise alone."""

from __future__ import annotations

import random

import pytest

from tests.bench.slope import slope_of

_TIMES = [float(minute) for minute in range(60)]


def noise(seed: int, like: float) -> list[float]:
    """Each value is ``like`` of the one before, and something new."""
    dice = random.Random(seed)  # noqa: S311 - reproducible, not secret
    value, found = 0.0, []
    for _ in _TIMES:
        value = like * value + dice.gauss(0, 1)
        found.append(value)
    return found


@pytest.mark.parametrize("trend", [-0.5, 0.2, 3.0])
def test_a_drawn_trend_is_found(trend: float) -> None:
    found = slope_of(
        _TIMES, [trend * at + one for at, one in zip(_TIMES, noise(1, 0.3), strict=True)]
    )
    assert not found.is_none
    assert found.low < trend < found.high
    assert found.value == pytest.approx(trend, abs=0.1)


@pytest.mark.parametrize("like", [0.0, 0.5])
def test_noise_without_a_trend_is_mostly_none(like: float) -> None:
    none = sum(slope_of(_TIMES, noise(seed, like)).is_none for seed in range(200))
    assert none >= 0.88 * 200


def test_neighbours_that_are_alike_count_as_fewer() -> None:
    widths = []
    for like in (0.0, 0.9):
        found = [slope_of(_TIMES, noise(seed, like)) for seed in range(40)]
        widths.append(sum((one.high - one.low) for one in found if one.high < 1e9))
    assert widths[1] > 2 * widths[0]


def test_a_constant_has_no_slope_and_no_doubt() -> None:
    found = slope_of(_TIMES, [7.0] * len(_TIMES))
    assert found == (0.0, 0.0, 0.0)
    assert found.is_none


def test_a_straight_line_is_its_own_slope() -> None:
    found = slope_of(_TIMES, [2 * at + 1 for at in _TIMES])
    assert found == pytest.approx((2.0, 2.0, 2.0))


@pytest.mark.parametrize(("times", "values"), [([0.0, 1.0], [1.0, 2.0]), ([1.0] * 3, [1.0] * 3)])
def test_too_little_to_draw_a_line_through_is_refused(
    times: list[float], values: list[float]
) -> None:
    with pytest.raises(ValueError, match="three values"):
        slope_of(times, values)
