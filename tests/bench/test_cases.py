"""What is measured: one factor at a time, or all together."""

from __future__ import annotations

from dataclasses import asdict
from importlib.util import find_spec

import pytest

from tests.bench.cases import (
    FACTORS,
    PROGRAMS,
    ROUTER,
    SHOWS,
    Case,
    Load,
    grid,
    middle,
    one_at_a_time,
    programs_of,
)
from tests.bench.drain import Run, is_enough
from tests.bench.figures import Latency
from tests.bench.ratios import LEAST, latency, throughput
from tests.bench.waits import plan


def distance(case: Case) -> int:
    return sum(asdict(case)[name] != asdict(middle(case.load))[name] for name in FACTORS)


def test_every_case_is_the_middle_or_one_factor_away_from_it() -> None:
    cases = list(one_at_a_time())
    assert len(set(cases)) == len(cases)
    assert {case.load for case in cases} == set(SHOWS)
    assert [case for case in cases if distance(case) == 0] == [middle(load) for load in SHOWS]
    assert max(map(distance, cases)) == 1


def test_every_value_of_every_factor_is_measured_with_some_load() -> None:
    cases = [asdict(case) for case in one_at_a_time()]
    for name, values in FACTORS.items():
        assert {case[name] for case in cases} == set(values)


def test_the_grid_holds_every_combination_once() -> None:
    cases = list(grid())
    assert len(set(cases)) == len(cases) == 3 * 4 * 3 * 2 * 2
    assert set(one_at_a_time()) < set(cases)


@pytest.mark.parametrize("full", [False, True])
def test_the_router_comes_first_and_its_baselines_do_what_it_does(full: bool) -> None:
    for case in grid() if full else one_at_a_time():
        programs = programs_of(case, full=full)
        assert programs[0].name == ROUTER
        assert all(program.does(case) for program in programs)


@pytest.mark.parametrize("load", SHOWS)
def test_each_middle_has_a_baseline(load: Load) -> None:
    assert len(programs_of(middle(load), full=False)) > 1


@pytest.mark.parametrize("module", sorted({program.module for program in PROGRAMS}))
def test_every_program_is_there(module: str) -> None:
    assert find_spec(module)


def test_every_promise_is_of_a_baseline_that_is_measured() -> None:
    measured = {
        (case.load, case.delivery, program.name)
        for case in one_at_a_time()
        for program in programs_of(case, full=False)
    }
    assert set(LEAST) <= measured


def test_ratios_are_of_one_round_each_and_know_their_promises() -> None:
    cells = {
        (middle("copy"), ROUTER): [run_of(90.0), run_of(200.0)],
        (middle("copy"), "aiokafka"): [run_of(100.0), run_of(100.0)],
        (middle("null"), ROUTER): [run_of(9.0), run_of(40.0)],
    }
    found = {ratio.name: ratio for ratio in throughput(cells)}
    beside = found["copy chat 4 partitions 1 workers at-least-once: router / aiokafka"]
    assert (beside.each, beside.bound) == ((0.9, 2.0), 0.95)
    assert found["router: null / copy"].each == (0.1, 0.2)
    assert len(found) == 2


def test_half_load_is_compared_with_a_single_message_and_the_copy() -> None:
    waits = {wait: [Latency(0.03, 0, 0.08, 0)] for wait in plan(400.0)}
    cells = {(middle("live"), "onnx"): [run_of(1.0, single=0.01)]}
    for wait in waits:
        if wait.load == "copy":
            waits[wait] = [Latency(0.01, 0, 0.01, 0)]
    found = latency(waits, cells)
    assert [ratio.value for ratio in found] == pytest.approx([1.5, 4.0, 1.0])
    assert all(ratio.kept for ratio in found)


@pytest.mark.parametrize(
    ("passed", "steps", "enough"),
    [(2.9, 99, False), (3.1, 5, True), (3.1, 4, False), (31, 1, True)],
)
def test_a_run_goes_on_while_it_came_out_in_few_pieces(
    passed: float, steps: int, enough: bool
) -> None:
    assert is_enough(passed, steps, 3.0) is enough


def run_of(rate: float, single: float = 0.0) -> Run:
    return Run(rate, 1.0, 1, 0.0, 1.0, 1, single)
