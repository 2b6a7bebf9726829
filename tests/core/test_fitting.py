"""Thresholds keep what they promise, on messages whose true risk is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.core.binomial import at_most, fewest
from router.core.fitting import Aim, Fit, Sent, fit_thresholds, stands_out

Risk = Callable[[float], float]

RUNS = 200
DELTA = 0.1
# With a true probability of DELTA, more than this many of RUNS come once in a thousand.
MOST = next(k for k in range(RUNS) if at_most(k, RUNS, DELTA) >= 0.999)


def rows(queue: str, n: int, risk: Risk, chance: np.random.Generator) -> list[Sent]:
    made = []
    for _ in range(n):
        confidence = round(float(chance.random()), 4)
        wrong = bool(chance.random() < risk(confidence))
        made.append(Sent(queue, confidence, not wrong, apart=bool(chance.random() < 0.1)))
    return made


def exactly(queue: str, n: int, errors: int, *, confidence: float = 0.9) -> list[Sent]:
    tested = [Sent(queue, confidence, i >= errors, apart=False) for i in range(n)]
    return [*tested, Sent(queue, confidence, True, apart=True)]


@pytest.mark.parametrize("n", [160, 900], ids=["pooled", "each alone"])
def test_what_is_too_risky_at_any_threshold_passes_no_more_often_than_stated(n: int) -> None:
    chance = np.random.default_rng(n)
    aim = Aim(0.05, 1 - DELTA)
    broken = 0
    for _ in range(RUNS):
        data = [row for q in "abc" for row in rows(q, n, lambda _: 0.0501, chance)]
        broken += any(fit.source != "review" for fit in fit_thresholds(data, "abc", aim).fits)
    assert broken <= MOST


def falling(confidence: float) -> float:
    """Of messages whose confidence lies evenly from 0 to 1, those above t have a true risk of
    0.2 (1 - t)² / 3, which is 0.02 at a t of 0.4523."""
    return 0.2 * (1 - confidence) ** 2


def test_a_threshold_is_too_low_for_its_true_risk_no_more_often_than_stated() -> None:
    chance = np.random.default_rng(7)
    aim = Aim(0.02, 1 - DELTA)
    fits = [fit_thresholds(rows("a", 900, falling, chance), "a", aim).fits[0] for _ in range(RUNS)]
    assert sum(fit.threshold < 0.4523 for fit in fits) <= MOST
    assert sum(fit.source == "queue" for fit in fits) > RUNS / 2


def test_a_good_queue_gets_a_low_threshold_that_its_true_risk_allows() -> None:
    data = rows("a", 6000, falling, np.random.default_rng(3))
    (fit,) = fit_thresholds(data, "a", Aim(0.02, 0.95)).fits
    assert 0.45 <= fit.threshold <= 0.6
    assert fit.bound <= 0.02


def test_queues_with_enough_stand_alone_and_the_others_are_pooled() -> None:
    data = [*exactly("a", 700, 3), *exactly("b", 200, 1), *exactly("c", 150, 0)]
    fitted = fit_thresholds(data, ["c", "a", "empty", "b"], Aim(0.02, 0.95))
    assert [fit.queue for fit in fitted.fits] == ["c", "a", "empty", "b"]
    assert [fit.source for fit in fitted.fits] == ["pooled", "queue", "review", "pooled"]
    assert fitted.tests == 2
    assert fitted.needed == 2 * fewest(1, 0.02, 0.025)
    pool, own = fitted.fits[0], fitted.fits[1]
    assert (pool.n, pool.errors, pool.of, pool.sent, pool.wrong) == (350, 1, 150, 150, 0)
    assert (own.n, own.errors, own.wrong) == (700, 3, 3)


def test_a_queue_that_fails_by_itself_goes_to_review_and_the_others_do_not() -> None:
    data = [*exactly("bad", 900, 90), *exactly("good", 900, 2)]
    bad, good = fit_thresholds(data, ["bad", "good"], Aim(0.02, 0.95)).fits
    assert (bad.source, bad.threshold, bad.sent) == ("review", 1.0, 0)
    assert (bad.n, bad.errors) == (900, 90)
    assert bad.bound > 0.02
    assert good.source == "queue"


def test_a_single_queue_is_its_own_even_where_it_has_few() -> None:
    (fit,) = fit_thresholds(exactly("a", 149, 0), "a", Aim(0.02, 0.95)).fits
    assert fit.source == "queue"
    (fit,) = fit_thresholds(exactly("a", 148, 0), "a", Aim(0.02, 0.95)).fits
    assert fit.source == "review"


def test_no_messages_at_all_send_every_queue_to_review() -> None:
    fitted = fit_thresholds([], ["a", "b"], Aim(0.02, 0.95))
    assert {(f.source, f.threshold, f.n, f.bound) for f in fitted.fits} == {("review", 1, 0, 1)}


def test_messages_set_aside_are_not_evidence() -> None:
    data = exactly("a", 300, 0)
    aside = [Sent("a", 0.9, right=False, apart=True)] * 50
    assert fit_thresholds([*data, *aside], "a", Aim(0.02, 0.95)) == fit_thresholds(
        data, "a", Aim(0.02, 0.95)
    )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.integers(1, 400)), max_size=12
    ),
    st.sampled_from([0.02, 0.1, 0.3]),
)
def test_whatever_is_fitted_its_evidence_is_counted_right_and_passes(
    parts: list[tuple[str, int, int]], risk: float
) -> None:
    data = [
        row
        for i, (queue, errors, n) in enumerate(parts)
        for row in exactly(queue, n, min(n, errors), confidence=round(0.05 + i * 0.08, 4))
    ]
    fitted = fit_thresholds(data, "abc", Aim(risk, 0.95))
    pooled = {fit.queue for fit in fitted.fits if fit.source == "pooled"}
    for fit in fitted.fits:
        if fit.source == "review":
            assert (fit.threshold, fit.sent) == (1.0, 0)
            continue
        of = pooled if fit.source == "pooled" else {fit.queue}
        sent = [r for r in data if not r.apart and r.queue in of and r.confidence >= fit.threshold]
        assert (fit.n, fit.errors) == (len(sent), sum(not r.right for r in sent))
        assert at_most(fit.errors, fit.n, risk) <= 0.05 / fitted.tests
        assert fit.bound <= risk + 1e-9


@pytest.mark.parametrize(
    ("source", "wrong", "out"), [("pooled", 6, True), ("pooled", 4, False), ("queue", 6, False)]
)
def test_a_pooled_queue_with_more_errors_than_chance_makes_stands_out(
    source: str, wrong: int, out: bool
) -> None:
    fit = Fit(
        queue="a",
        threshold=0.5,
        source="pooled" if source == "pooled" else "queue",
        n=1000,
        errors=10,
        bound=0.02,
        of=120,
        sent=100,
        wrong=wrong,
    )
    assert stands_out(fit, 0.02) is out
