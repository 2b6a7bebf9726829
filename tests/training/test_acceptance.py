from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from router.core.binomial import upper_bound
from router.training.acceptance import (
    CONFIDENCE,
    FLAGGED,
    HARM,
    STEPS,
    Accepted,
    fit_accept,
    fit_first,
)


def _fitted(rows: list[tuple[float, bool, bool]]) -> tuple[float, float, int]:
    confidence, may, harmed = (np.array(column) for column in zip(*rows, strict=True))
    found = fit_accept(confidence, may, harmed)
    return found.accept, found.share, found.harmed


def test_where_nothing_is_harmed_every_text_may_be_answered() -> None:
    assert _fitted([(0.2 + n / 10_000, True, False) for n in range(1000)]) == (0.2, 1.0, 0)


def test_the_threshold_stands_above_what_would_be_harmed() -> None:
    sure = [(0.9, True, False)] * 1000
    unsure = [(0.5, True, True)] * 40
    assert _fitted(sure + unsure) == (0.9, 1000 / 1040, 0)


def test_too_few_texts_show_nothing() -> None:
    assert _fitted([(0.99, True, False)] * 20) == (1.0, 0.0, 0)


def test_what_a_flag_stands_against_counts_on_neither_side() -> None:
    flagged = [(0.95, False, True)] * 500
    assert _fitted([(0.9, True, False)] * 1000 + flagged) == (0.9, 1000 / 1500, 0)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 20).map(lambda n: n / 20), st.booleans(), st.booleans()),
        min_size=1,
        max_size=60,
    ),
    st.integers(1, 60),
)
def test_those_answered_are_harmed_no_more_than_the_bound_lets(
    rows: list[tuple[float, bool, bool]], times: int
) -> None:
    rows = rows * times
    accept, share, harms = _fitted(rows)
    answered = [harmed for confidence, may, harmed in rows if may and confidence >= accept]
    if share:
        assert (len(answered), sum(answered)) == (round(share * len(rows)), harms)
        assert upper_bound(harms, len(answered), 1 - CONFIDENCE) <= HARM


def _first(plain: float, flagged: list[float], count: int = 1000) -> Accepted:
    """Fitted to ``count`` texts without a flag, whose one flag has the probability ``plain``, and
    those with it, which have ``flagged``. All are sure and nothing is harmed."""
    flags = np.array([plain] * count + flagged)[:, None]
    truth = np.arange(len(flags))[:, None] >= count
    return fit_first(np.full(len(flags), 0.9), flags, truth, np.zeros(len(flags), np.bool_))


def test_texts_with_a_flag_are_left_to_the_others() -> None:
    found = _first(0.12, [0.9] * 200)
    assert (found.accept, found.share, found.harmed) == (0.9, 1000 / 1200, 0)
    assert 0.12 < found.flags_below <= 0.9


def test_the_first_step_at_which_too_many_flagged_would_be_answered_ends_the_search() -> None:
    """What lies behind it is not looked at, though more plain texts would be answered there."""
    found = _first(0.62, [0.31] * 20 + [0.9] * 180)
    assert found.share == 0
    assert _first(0.22, [0.31] * 20 + [0.9] * 180).flags_below in STEPS[:6]


def test_too_few_texts_with_a_flag_let_it_answer_nothing() -> None:
    assert _first(0.0, [0.9] * 100).share == 0
    assert _first(0.0, []).share == 0


def test_a_model_without_flags_leaves_nothing_for_them() -> None:
    none = np.zeros((1000, 0))
    found = fit_first(np.full(1000, 0.9), none, none.astype(np.bool_), np.zeros(1000, np.bool_))
    assert (found.share, found.flags_below) == (1.0, 1.0)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_of_the_flagged_it_answers_no_more_than_the_bound_lets(seed: int) -> None:
    random = np.random.default_rng(seed)
    truth = random.random((900, 2)) < 0.2
    flags = np.clip(random.normal(np.where(truth, 0.7, 0.1), 0.15), 0, 1)
    confidence, harmed = random.random(900), random.random(900) < 0.002
    found = fit_first(confidence, flags, truth, harmed)
    answered = (confidence >= found.accept) & (flags < found.flags_below).all(axis=1)
    for one in truth.T:
        assert upper_bound(int(answered[one].sum()), int(one.sum()), 1 - CONFIDENCE) <= FLAGGED
