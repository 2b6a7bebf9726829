"""At-least-once repeats that were decided once with the model and once without it: what that
excuses, and what it must not hide."""

from __future__ import annotations

from dataclasses import replace

from tests.chaos.check import DEAD_LETTER, IGNORED, check
from tests.chaos.history import History
from tests.chaos.test_check import again, good, of, read


def degrade(history: History, *numbers: int) -> None:
    """They are decided again, without a model."""
    for number in numbers:
        for log, topic in ((False, "review"), (True, "decisions")):
            record = again(of(history, number, log=log), topic=topic, queue="router.review")
            history.read.append(replace(record, reason="model_unavailable"))


def test_a_repeat_that_went_to_review_for_want_of_a_model_is_told_apart() -> None:
    history = good("at-least-once")
    degrade(history, 6)
    verdict = check(history)
    assert (verdict.violations, verdict.degraded) == ((), 1)
    strict = good("exactly-once")
    degrade(strict, 6)
    assert {one.fault for one in check(strict).violations} == {"routed twice", "duplicated"}


def test_the_second_place_of_such_a_repeat_may_be_late_and_its_first_in_the_log_may_not() -> None:
    history = good("at-least-once")
    degrade(history, 6)
    late = of(history, 9)  # the same conversation's next, on review before it
    history.read.remove(late)
    history.read.append(replace(late, topic="review", queue="router.review", offset=10))
    entry = of(history, 9, log=True)
    history.read[history.read.index(entry)] = replace(entry, queue="router.review")
    assert check(history).violations == ()
    first = of(history, 6, log=True)
    history.read.remove(first)
    assert {one.fault for one in check(history).violations} == {"reordered"}


def faults(history: History) -> set[str]:
    return {one.fault for one in check(history).violations}


def test_a_first_place_out_of_order_is_found_behind_such_a_repeat() -> None:
    """Events 0 and 6 are of one conversation; 6 has a second place, and 0 comes after its first."""
    history = good("at-least-once")
    degrade(history, 6)
    history.read.remove(first := of(history, 0))
    history.read.append(replace(first, offset=500))
    assert faults(history) == {"reordered"}


def test_a_place_of_one_attempt_and_the_log_of_another_are_not_a_whole() -> None:
    """The attempt that was acknowledged had both."""
    history = good("at-least-once")
    degrade(history, 6)
    history.read.remove(of(history, 6))
    history.read.remove(history.read[-1])
    assert faults(history) == {"lost"}


def test_what_is_not_put_to_the_model_has_no_such_excuse() -> None:
    for number, queue in ((4, IGNORED), (7, DEAD_LETTER)):
        history = good("at-least-once")
        extra = replace(read(number, "review", "router.review"), reason="model_unavailable")
        history.read += [again(extra), again(replace(extra, topic="decisions", log=True))]
        assert "routed twice" in faults(history), queue


def test_an_outage_sends_to_review_and_nowhere_else() -> None:
    history = good("at-least-once")
    degrade(history, 6)
    history.read = [
        replace(one, queue="q9") if one.reason == "model_unavailable" else one
        for one in history.read
    ]
    assert faults(history) == {"routed twice"}
