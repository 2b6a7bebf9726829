"""A run passes only if it tried what it was to try."""

from __future__ import annotations

import pytest

from tests.chaos.board import WANTED, Phase
from tests.chaos.check import expected_id
from tests.chaos.history import Deed, History, Read, Standing
from tests.chaos.report import make_report, table
from tests.chaos.run import Outcome, Shape

SHAPE = Shape(7, "exactly-once", kills=len(WANTED), restarts=0)


def history() -> History:
    """One event, routed; a kill in each phase."""
    made = History("exactly-once")
    made.standing.append(Standing("messages.chat", 0, 0, 0, "c0"))
    id_ = expected_id("messages.chat/0/0")
    for topic, log in (("queue.cards", False), ("router.decisions", True)):
        made.read.append(
            Read(topic, 0, 0, "messages.chat/0/0", "c0", id_, "cards", "intent", log=log)
        )
    made.deeds = [Deed(1.0, "kill", {"slot": 0, "phase": phase.name}) for phase in WANTED]
    return made


def problems(made: History, *unfinished: str) -> tuple[str, ...]:
    return make_report(SHAPE, Outcome(made, unfinished, 1.0)).problems


def test_a_run_that_tried_all_and_broke_nothing_passes() -> None:
    assert problems(history()) == ()


@pytest.mark.parametrize("phase", WANTED)
def test_a_phase_without_a_kill_is_a_problem(phase: Phase) -> None:
    made = history()
    made.deeds = [deed for deed in made.deeds if deed.detail["phase"] != phase.name]
    assert len(problems(made)) == 2  # the phase, and one kill too few
    assert phase.name.lower().replace("_", " ") in problems(made)[0]


def test_a_violation_and_a_worker_that_stays_are_problems_and_stand_in_the_table() -> None:
    made = history()
    made.read.pop()
    report = make_report(SHAPE, Outcome(made, ("A worker did not leave when told to.",), 1.0))
    assert len(report.problems) == 2
    assert all(f"! {problem}" in table(report) for problem in report.problems)
