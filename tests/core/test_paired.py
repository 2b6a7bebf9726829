"""The paired bootstrap: it sees what is there, and does not see what is not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.core.paired import Comparison, Tolerance, compare

TOLERANCE = Tolerance(soft=0.01, hard=0.05, least=30)
PAIRS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=200)
FEW_DRAWS = 500


def compared(pairs: list[tuple[bool, bool]]) -> Comparison:
    live, new = zip(*pairs, strict=True)
    return compare(live, new, TOLERANCE, FEW_DRAWS)


@given(PAIRS)
def test_the_order_of_the_messages_does_not_matter(pairs: list[tuple[bool, bool]]) -> None:
    assert compared(pairs) == compared(pairs[::-1])


@given(PAIRS)
def test_the_interval_holds_the_difference_that_was_seen(pairs: list[tuple[bool, bool]]) -> None:
    found = compared(pairs)
    assert found.difference is not None
    assert found.upper is not None
    assert found.difference <= found.upper <= 1


@given(PAIRS)
def test_a_model_that_loses_no_message_is_never_worse(pairs: list[tuple[bool, bool]]) -> None:
    live = [before for before, _ in pairs]
    new = [before or after for before, after in pairs]
    assert compare(live, new, Tolerance(0, 0, 0), FEW_DRAWS).verdict == "ok"


@given(PAIRS)
def test_a_wider_tolerance_never_refuses_what_a_narrow_one_passed(
    pairs: list[tuple[bool, bool]],
) -> None:
    live, new = zip(*pairs, strict=True)
    narrow = compare(live, new, Tolerance(0.01, 0.02, 0), FEW_DRAWS)
    wide = compare(live, new, Tolerance(0.05, 0.2, 0), FEW_DRAWS)
    assert (narrow.verdict, wide.verdict) != ("ok", "worse")


@given(st.integers(30, 200))
def test_a_model_that_loses_every_message_is_worse(n: int) -> None:
    assert compare([True] * n, [False] * n, TOLERANCE, FEW_DRAWS).verdict == "worse"


def test_a_loss_within_the_tolerance_passes_however_certain_it_is() -> None:
    n = 100_000
    live = np.ones(n, bool)
    new = np.arange(n) >= 500  # half a per cent
    assert compare(list(live), list(new), TOLERANCE).verdict == "ok"


def test_a_loss_beyond_the_tolerance_is_refused_once_it_is_certain() -> None:
    lost = [True] * 30 + [False] * 970
    new = [not one for one in lost]
    assert compare([True] * 1000, new, TOLERANCE).verdict == "worse"
    # The same share of a hundredth of the messages may be chance.
    assert compare([True] * 33, [False] + [True] * 32, TOLERANCE).verdict == "ok"


def test_a_loss_beyond_the_hard_tolerance_is_refused_though_it_may_be_chance() -> None:
    live = [True] * 10 + [False] * 7 + [True] * 33
    new = [False] * 10 + [True] * 7 + [True] * 33
    assert compare(live, new, Tolerance(0.01, 1, 30)).verdict == "ok"
    assert compare(live, new, Tolerance(0.01, 0.05, 30)).verdict == "worse"


def test_an_equal_model_is_refused_about_as_seldom_as_the_interval_says() -> None:
    """Two models that are each wrong on one message in ten, by chance alone."""
    random = np.random.default_rng(1)
    refused = 0
    for _ in range(200):
        live, new = list(random.random(400) < 0.9), list(random.random(400) < 0.9)
        refused += compare(live, new, Tolerance(0, 1, 0)).verdict == "worse"
    assert refused < 0.09 * 200  # with no tolerance at all the level is 5 %, give or take chance


def test_few_messages_are_not_judged() -> None:
    assert compare([True] * 29, [False] * 29, TOLERANCE).verdict == "too few"
    assert compare([], [], TOLERANCE).verdict == "too few"


def test_answers_to_different_messages_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="not of the same messages"):
        compare([True], [True, False], TOLERANCE)
