"""A seed gives the same violence again, and enough of each kind."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.chaos.board import WANTED
from tests.chaos.plan import Kill, Pause, Plan, Stop, Tell, make_plan
from tests.chaos.traffic import event, number_of


def plan(seed: int, kills: int = 100) -> Plan:
    return make_plan(seed, kills=kills, restarts=20, slots=3, nodes=3)


@given(st.integers(0, 1_000_000))
def test_a_seed_gives_the_same_plan_again(seed: int) -> None:
    assert plan(seed) == plan(seed)


def test_another_seed_gives_another_plan() -> None:
    assert plan(1) != plan(2)


@given(st.integers(0, 1_000_000), st.integers(6, 120))
def test_it_has_the_kills_it_was_asked_for_and_each_phase_its_share(seed: int, kills: int) -> None:
    made = plan(seed, kills)
    phases = Counter(one.aim.phase for one in made.actions if isinstance(one, Kill))
    assert phases.total() == kills
    assert set(phases) == set(WANTED)
    assert max(phases.values()) - min(phases.values()) <= 1
    assert len(made.restarts) == 20


@pytest.mark.parametrize("kind", [Pause, Stop, Tell])
def test_there_is_some_of_every_other_kind(kind: type) -> None:
    assert sum(isinstance(one, kind) for one in plan(3).actions) >= 10


@given(st.integers(0, 1_000_000))
def test_a_broken_model_is_always_mended_after_one_more_action(seed: int) -> None:
    orders = [one.order for one in plan(seed).actions if isinstance(one, Tell)]
    assert all(bool(first) != bool(then) for first, then in pairwise(orders))
    assert orders[0]
    assert not orders[-1]
    assert {"raise", "hang", "memory"} <= set(orders)


@given(st.integers(0, 1000), st.integers(0, 100_000))
def test_an_event_is_a_function_of_seed_and_number(seed: int, number: int) -> None:
    one = event(seed, number)
    assert one == event(seed, number)
    assert number_of(one.value) == number
