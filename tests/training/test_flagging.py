from __future__ import annotations

import numpy as np
import pytest

from router.core.binomial import at_most, fewest
from router.training.flagging import flag_threshold


def test_the_recall_asked_for_is_missed_no_more_often_than_stated() -> None:
    chance = np.random.default_rng(1)
    runs, broken = 400, 0
    for _ in range(runs):
        probabilities, truth = chance.random(500), np.arange(500) < 150
        threshold = flag_threshold(probabilities, truth, 0.9, 0.9)
        # Flagged texts lie evenly between 0 and 1, so that the true recall is known.
        broken += threshold is not None and 1 - threshold < 0.9
    assert at_most(broken - 1, runs, 0.1) < 0.999
    assert broken > 0


def test_the_threshold_is_the_highest_that_the_bound_allows() -> None:
    n = fewest(2, 0.05, 0.05)
    probabilities = np.concatenate((np.linspace(0.1, 0.9, n), np.full(50, 0.99)))
    truth = np.arange(n + 50) < n
    threshold = flag_threshold(probabilities, truth, 0.95)
    assert threshold is not None
    assert (probabilities[truth] < threshold).sum() == 2


@pytest.mark.parametrize(("n", "threshold"), [(0, None), (58, None), (59, 0.5)])
def test_too_few_flagged_texts_give_no_threshold(n: int, threshold: float | None) -> None:
    truth = np.arange(n + 10) < n
    assert flag_threshold(np.full(n + 10, 0.5), truth, 0.95) == threshold


def test_texts_of_one_probability_are_all_flagged() -> None:
    assert flag_threshold(np.full(200, 0.31234), np.ones(200, bool), 0.9) == 0.3123
