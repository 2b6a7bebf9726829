"""The circuit breaker by property: whatever happens, it keeps to its edges and its times."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from router.core.breaker import WINDOW, Breaker, BreakerLimits, Ending

LIMITS = BreakerLimits(failures=3, share=0.5, pause=5, longest_pause=40, probes=2)


def after(*endings: Ending, limits: BreakerLimits = LIMITS) -> Breaker:
    breaker = Breaker(limits=limits)
    for ending in endings:
        breaker = breaker.called(ending, 100.0)
    return breaker


def half_open(breaker: Breaker) -> Breaker:
    return breaker.probing(breaker.since + breaker.pause)


def test_it_opens_after_so_many_failures_in_a_row_and_not_before() -> None:
    assert after("failed", "failed", "answered", "failed", "failed").asks
    opened = after("answered", "failed", "failed", "failed")
    assert (opened.state, opened.why) == ("open", "3 calls in a row failed")


def test_one_call_without_an_answer_in_time_is_enough() -> None:
    opened = after("answered", "overran")
    assert (opened.state, opened.why) == ("open", "a call gave no answer in time")


def test_failures_with_answers_between_them_open_it_by_their_share() -> None:
    mixed: list[Ending] = ["answered", "failed"] * (WINDOW // 2)
    assert after(*mixed[:-1]).asks
    assert after(*mixed).why == f"{WINDOW // 2} of the last {WINDOW} calls failed"


def test_a_call_that_ends_after_it_opened_changes_nothing() -> None:
    opened = after("overran")
    assert opened.called("answered", 101) is opened
    assert half_open(opened).called("answered", 110) == half_open(opened)


def test_a_model_that_only_ever_answers_leaves_it_as_it_is() -> None:
    answers: list[Ending] = ["answered"] * WINDOW
    breaker = after(*answers)
    assert breaker.called("answered", 99) is breaker
    assert breaker.called("failed", 99).recent == (*answers[1:], "failed")


def test_no_probe_before_the_pause_is_over() -> None:
    opened = after("overran")
    assert opened.wait(102) == 3
    assert opened.probing(104.9) is opened
    assert opened.probing(105).state == "half_open"


def test_enough_answered_probes_close_it_and_a_failed_one_does_not() -> None:
    probed = half_open(after("overran"))
    once = probed.probed("answered", 106)
    assert once.state == "half_open"
    assert once.probed("answered", 106).asks
    failed = once.probed("failed", 106)
    assert (failed.state, failed.pause) == ("open", 10)
    assert failed.why == "a probe failed; before, a call gave no answer in time"
    again = half_open(failed).probed("overran", 120)
    assert again.why == "a probe gave no answer in time; before, a call gave no answer in time"


def test_pauses_double_up_to_the_longest() -> None:
    breaker, pauses = after("overran"), []
    for _ in range(5):
        pauses.append(breaker.pause)
        breaker = half_open(breaker).probed("failed", breaker.since + breaker.pause)
    assert pauses == [5, 10, 20, 40, 40]


@pytest.mark.parametrize(("later", "pause"), [(40, 10), (41, 5)])
def test_one_that_opens_again_soon_pauses_longer(later: float, pause: float) -> None:
    closed = half_open(after("overran")).probed("answered", 106).probed("answered", 106)
    assert closed.called("overran", 106 + later).pause == pause


class AnyLife(RuleBasedStateMachine):
    """Calls, probes and time in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.breaker = Breaker(limits=LIMITS)
        self.states = [self.breaker.state]
        self.failed_in_a_row = 0
        self.answered_probes = 0

    def become(self, breaker: Breaker) -> None:
        if breaker.state != self.breaker.state:
            self.states.append(breaker.state)
        self.breaker = breaker

    @rule(seconds=st.floats(0, 60))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: self.breaker.state == "closed")
    @rule(ending=st.sampled_from(["answered", "answered", "failed", "overran"]))
    def a_call_ends(self, ending: Ending) -> None:
        self.failed_in_a_row = 0 if ending == "answered" else self.failed_in_a_row + 1
        self.become(self.breaker.called(ending, self.now))
        if ending == "overran" or self.failed_in_a_row >= LIMITS.failures:
            assert self.breaker.state == "open"
        if self.breaker.state == "open":
            self.failed_in_a_row = 0
            assert ending != "answered"

    @precondition(lambda self: self.breaker.state != "closed")
    @rule(ending=st.sampled_from(["answered", "failed", "overran"]))
    def a_late_call_ends(self, ending: Ending) -> None:
        assert self.breaker.called(ending, self.now) == self.breaker

    @rule()
    def a_probe_is_due(self) -> None:
        due = self.breaker.state == "open" and self.breaker.wait(self.now) == 0
        before = self.breaker
        self.become(self.breaker.probing(self.now))
        assert (self.breaker.state == "half_open") == (due or before.state == "half_open")
        if due:
            assert self.now >= before.since + before.pause - 1e-6
            self.answered_probes = 0

    @precondition(lambda self: self.breaker.state == "half_open")
    @rule(ending=st.sampled_from(["answered", "answered", "failed", "overran"]))
    def a_probe_ends(self, ending: Ending) -> None:
        self.answered_probes = self.answered_probes + 1 if ending == "answered" else 0
        self.become(self.breaker.probed(ending, self.now))
        assert self.breaker.asks == (self.answered_probes >= LIMITS.probes)

    @invariant()
    def it_keeps_to_its_edges(self) -> None:
        edges = set(pairwise(self.states))
        assert edges <= {
            ("closed", "open"),
            ("open", "half_open"),
            ("half_open", "open"),
            ("half_open", "closed"),
        }

    @invariant()
    def what_it_says_fits_its_state(self) -> None:
        breaker = self.breaker
        assert breaker.asks == (breaker.state == "closed") == (breaker.why == "")
        assert len(breaker.recent) <= WINDOW
        if not breaker.asks:
            assert LIMITS.pause <= breaker.pause <= LIMITS.longest_pause
            assert 0 <= breaker.wait(self.now) <= breaker.pause + 1e-6


TestAnyLife = AnyLife.TestCase
TestAnyLife.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
