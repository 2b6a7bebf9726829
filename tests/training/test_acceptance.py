from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from router.core.binomial import upper_bound
from router.training.acceptance import CONFIDENCE, HARM, fit_accept


def _fitted(rows: list[tuple[float, bool, bool]]) -> tuple[float, float, int]:
    confidence, may, harmed = (np.array(column) for column in zip(*rows, strict=True))
    found = fit_accept(confidence, may, harmed)
    return found.accept, found.share, found.harmed


def test_where_nothing_is_harmed_every_text_may_be_answered() -> None:
    assert _fitted([(0.2 + n / 10_000, True, False) for n in range(1000)]) == (0.2, 1.0, 0)


def test_the_threshold_stands_above_what_would_be_harmed() -> None:
    sure = [(0.9, True, False)] * 1000
    unsure = [(0.5, True, True)] * 20
    assert _fitted(sure + unsure) == (0.9, 1000 / 1020, 0)


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
