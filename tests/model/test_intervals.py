"""Intervals against their definitions, and against chance itself."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.model import metrics
from router.model.intervals import Z, bootstrap, separation_interval, wilson


@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilsons_ends_are_the_shares_that_lie_z_errors_off(counts: tuple[int, int]) -> None:
    hits, of = counts
    ends = wilson(hits, of)
    assert ends is not None
    assert 0 <= ends[0] <= hits / of <= ends[1] <= 1
    for end in ends:
        if 1e-9 < end < 1 - 1e-9:
            assert abs(hits / of - end) == pytest.approx(Z * math.sqrt(end * (1 - end) / of))


def test_wilsons_interval_of_a_known_case_and_of_nothing() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263, 0 of 20.
    assert wilson(81, 263) == pytest.approx([0.2553, 0.3662], abs=1e-4)
    assert wilson(0, 20) == pytest.approx([0, 0.1611], abs=1e-4)
    assert wilson(0, 0) is None


@given(
    above=st.lists(st.integers(0, 6), min_size=1, max_size=15),
    below=st.lists(st.integers(0, 6), min_size=1, max_size=15),
)
def test_an_areas_interval_holds_it_and_has_a_width(above: list[int], below: list[int]) -> None:
    area = metrics.separation(np.array(above, float), np.array(below, float))
    ends = separation_interval(area, len(above), len(below))
    assert ends is not None
    low, high = ends
    assert 0 <= low <= area <= high <= 1
    assert high - low > 0.01


def test_an_areas_interval_narrows_with_the_texts() -> None:
    few, many = separation_interval(1.0, 5, 5), separation_interval(1.0, 500, 500)
    assert few is not None
    assert many is not None
    assert few[0] < 0.7
    assert many[0] > 0.98
    assert separation_interval(None, 5, 5) is None


def _mean(values: metrics.Floats) -> Any:
    return lambda places: {"mean": float(values[places].mean()), "deep": {"n": len(places)}}


def test_a_bootstrap_of_a_mean_is_its_standard_error_either_way() -> None:
    values = np.random.default_rng(1).normal(5, 2, 400)
    found = bootstrap(_mean(values), [400])
    error = 1.96 * values.std() / math.sqrt(400)
    wanted = [values.mean() - error, values.mean() + error]
    assert found["mean"] == pytest.approx(wanted, abs=0.02)
    assert found["deep"] == {"n": [400, 400]}


def test_the_same_seed_draws_the_same_and_another_does_not() -> None:
    values = np.random.default_rng(1).normal(5, 2, 50)
    first, again = bootstrap(_mean(values), [50]), bootstrap(_mean(values), [50])
    assert first == again
    assert bootstrap(_mean(values), [50], seed=2) != first


def test_each_sample_is_drawn_from_by_itself_and_told_of() -> None:
    seen: list[int] = []

    def statistic(some: metrics.Ints, others: metrics.Ints) -> dict[str, int]:
        assert some.max() < 3
        assert others.max() < 1
        return {"n": len(some) + len(others)}

    found = bootstrap(statistic, [3, 1], resamples=20, advance=seen.append)
    assert found == {"n": [4, 4]}
    assert sum(seen) == 20


def test_a_calibration_errors_interval_is_rid_of_its_growth() -> None:
    """Of a calibrated model the plain bootstrap's interval lies wholly above the figure or nearly
    so, since texts that come twice look like miscalibration; reflected, it reaches down."""
    generator = np.random.default_rng(3)
    confidence = generator.uniform(0.5, 1, 600)
    right = generator.uniform(size=600) < confidence

    def statistic(places: metrics.Ints) -> dict[str, float]:
        return {"ece": metrics.calibration_error(confidence[places], right[places])}

    figure = statistic(np.arange(600))["ece"]
    plain = bootstrap(statistic, [600], resamples=300)["ece"]
    low, high = bootstrap(statistic, [600], resamples=300, biased={"ece"})["ece"]
    assert sum(plain) / 2 > figure
    assert low == pytest.approx(max(0, 2 * figure - plain[1]))
    assert high == pytest.approx(max(figure, 2 * figure - plain[0]))
    assert low < figure


def test_an_interval_always_holds_its_figure() -> None:
    """The number of different texts falls in every resample: no percentile reaches the whole's."""

    def statistic(places: metrics.Ints) -> dict[str, int]:
        return {"different": len(set(places.tolist())), "biased": len(set(places.tolist()))}

    found = bootstrap(statistic, [50], resamples=50, biased={"biased"})
    assert found["different"][1] == 50
    assert found["biased"][0] == 50
