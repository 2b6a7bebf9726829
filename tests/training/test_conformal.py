"""Prediction sets cover what they promise, on texts whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.core.binomial import at_most
from router.core.calibration import Floats
from router.training.conformal import OWN, cluster, fewest_texts, fit_sets, set_least

COVERAGE = 0.9


def right_of(hardness: Floats, chance: np.random.Generator) -> Floats:
    """Probabilities of the right intent: the harder the intent, the lower."""
    return np.asarray(np.round(chance.random(len(hardness)) ** hardness, 4))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=200), st.sampled_from([0.8, 0.9, 0.95]))
def test_a_set_threshold_covers_at_least_what_it_promises(
    right: list[float], coverage: float
) -> None:
    least = set_least(np.array(right), coverage)
    assert np.mean(np.array(right) >= round(least - 1e-4, 4)) >= coverage


def test_new_texts_are_covered_as_promised_on_the_whole() -> None:
    """Averaged over calibrations, which is what split conformal prediction promises."""
    chance = np.random.default_rng(5)
    covered = total = 0
    for _ in range(200):
        least = set_least(right_of(np.full(50, 2.0), chance), COVERAGE)
        covered += int((right_of(np.full(20, 2.0), chance) >= least).sum())
        total += 20
    # Fewer than the lowest that chance alone makes once in a thousand would be too few.
    assert at_most(covered, total, COVERAGE) > 0.001
    assert covered / total < COVERAGE + 0.05


def test_a_hard_intent_with_enough_texts_is_covered_by_a_least_of_its_own() -> None:
    chance = np.random.default_rng(6)
    intents = np.repeat([0, 1], [900, 300])
    right = right_of(np.where(intents == 1, 6.0, 0.5), chance)
    sets = fit_sets(right, intents, COVERAGE)
    new = right_of(np.full(5000, 6.0), chance)
    assert (new >= sets.least).mean() < COVERAGE - 0.1
    assert (new >= sets.least_of[1]).mean() > COVERAGE - 0.05


def test_intents_with_too_few_for_themselves_share_with_those_that_lie_alike() -> None:
    chance = np.random.default_rng(7)
    intents = np.repeat(np.arange(60), 60)
    hard = intents % 2 == 1
    sets = fit_sets(right_of(np.where(hard, 6.0, 0.3), chance), intents, COVERAGE)
    assert len(sets.least_of) == 60
    assert len(set(sets.least_of.values())) < 30
    easy_new, hard_new = (right_of(np.full(2000, h), chance) for h in (0.3, 6.0))
    hard_covered = [(hard_new >= sets.least_of[i]).mean() for i in range(1, 60, 2)]
    easy_covered = [(easy_new >= sets.least_of[i]).mean() for i in range(0, 60, 2)]
    assert np.mean(hard_covered) > COVERAGE - 0.03
    assert np.mean(easy_covered) > COVERAGE - 0.03
    assert (hard_new >= sets.least).mean() < COVERAGE - 0.05


def test_an_intent_with_too_few_to_say_anything_keeps_the_wholes_least() -> None:
    chance = np.random.default_rng(8)
    intents = np.repeat([0, 1, 2], [OWN, fewest_texts(COVERAGE) - 1, 1])
    sets = fit_sets(right_of(np.ones(len(intents)), chance), intents, COVERAGE)
    assert set(sets.least_of) == {0}


def test_the_same_texts_give_the_same_sets() -> None:
    chance = np.random.default_rng(9)
    intents = np.repeat(np.arange(40), 50)
    right = right_of((1.0 + intents % 3).astype(np.float64), chance)
    assert fit_sets(right, intents, COVERAGE) == fit_sets(right, intents, COVERAGE)


@pytest.mark.parametrize("n", [0, 1])
def test_without_texts_or_with_one_every_intent_is_in_the_set(n: int) -> None:
    sets = fit_sets(np.full(n, 0.7), np.zeros(n, np.int64), COVERAGE)
    assert (sets.least, sets.least_of) == (0.0, {})


def test_probabilities_that_are_all_alike_are_all_in_the_set() -> None:
    sets = fit_sets(np.full(300, 0.25), np.repeat([0, 1], 150), COVERAGE)
    assert sets.least == 0.25
    assert sets.least_of == {0: 0.25, 1: 0.25}


@pytest.mark.parametrize(("coverage", "few"), [(0.9, 9), (0.95, 19), (0.8, 4)])
def test_the_fewest_texts_are_the_first_that_leave_a_threshold(coverage: float, few: int) -> None:
    assert fewest_texts(coverage) == few
    assert set_least(np.full(few, 0.5), coverage) == 0.5
    assert set_least(np.full(few - 1, 0.5), coverage) == 0.0


def test_points_far_apart_are_clusters_of_their_own() -> None:
    points = np.array([[0.0, 0.0], [5.0, 5.0], [0.1, 0.0], [5.0, 5.1], [9.0, 0.0]])
    of = cluster(points, np.ones(5), 3)
    assert of[0] == of[2]
    assert of[1] == of[3]
    assert len(set(of.tolist())) == 3


def test_more_clusters_than_different_points_leave_some_empty() -> None:
    of = cluster(np.zeros((4, 2)), np.ones(4), 3)
    assert len(set(of.tolist())) == 1
