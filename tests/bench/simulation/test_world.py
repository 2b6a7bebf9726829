"""The simulation against formulas that are known, and against its own rules."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bench.simulation.arrivals import Wave, poisson
from tests.bench.simulation.scaling import Aims
from tests.bench.simulation.world import Costs, simulate


def md1(load: float, service: float) -> float:
    """Pollaczek and Khinchine's mean time in a system with one server and equal service times."""
    return service + load * service / (2 * (1 - load))


@pytest.mark.parametrize("load", [0.3, 0.7])
def test_one_worker_one_by_one_is_the_queue_m_d_1(load: float) -> None:
    times = poisson([Wave(40_000.0, load)], np.random.default_rng(3))
    places = np.zeros(len(times), dtype=np.int64)
    seen = simulate(times, places, 1, Costs(0.0, 1.0, batch_records=1), workers=1)
    assert seen.waits.mean() == pytest.approx(md1(load, 1.0), rel=0.04)


def test_so_many_workers_of_a_partition_each_are_so_many_queues() -> None:
    dice = np.random.default_rng(5)
    times = poisson([Wave(10_000.0, 4 * 0.6)], dice)
    places = dice.integers(0, 4, len(times))
    seen = simulate(times, places, 4, Costs(0.5, 0.5, batch_records=1), workers=4)
    assert seen.waits.mean() == pytest.approx(md1(0.6, 1.0), rel=0.04)


def test_one_worker_of_many_partitions_is_one_queue() -> None:
    dice = np.random.default_rng(7)
    times = poisson([Wave(30_000.0, 0.6)], dice)
    places = dice.integers(0, 4, len(times))
    seen = simulate(times, places, 4, Costs(0.0, 1.0, batch_records=1), workers=1)
    assert seen.waits.mean() == pytest.approx(md1(0.6, 1.0), rel=0.04)


def test_batches_that_cost_the_same_however_full_are_waited_for_one_and_a_half_times() -> None:
    times = poisson([Wave(1_000.0, 50.0)], np.random.default_rng(9))
    places = np.zeros(len(times), dtype=np.int64)
    seen = simulate(times, places, 1, Costs(1.0, 0.0, batch_records=10_000), workers=1)
    assert seen.waits.mean() == pytest.approx(1.5, rel=0.02)


def test_what_waits_is_worked_through_at_the_rate_that_full_batches_allow() -> None:
    costs = Costs(0.5, 0.01, batch_records=50)
    for workers in (1, 2, 4):
        places = np.arange(4_000, dtype=np.int64) % 4
        seen = simulate(np.zeros(4_000), places, 4, costs, workers=workers)
        assert seen.ended == pytest.approx(4_000 / 50 * 1.0 / workers)


@settings(max_examples=40, deadline=None)
@given(
    arrivals=st.lists(st.tuples(st.floats(0, 100), st.integers(0, 3)), min_size=1, max_size=60),
    workers=st.integers(1, 5),
    fixed=st.floats(0, 2),
    each=st.floats(0.001, 2),
    batch_records=st.integers(1, 5),
    scaled=st.booleans(),
    down=st.none() | st.tuples(st.floats(1, 40), st.floats(41, 80)),
)
def test_every_message_is_done_once_no_sooner_than_it_takes_and_in_its_partitions_order(  # noqa: PLR0917 - Hypothesis names them
    arrivals: list[tuple[float, int]],
    workers: int,
    fixed: float,
    each: float,
    batch_records: int,
    scaled: bool,
    down: tuple[float, float] | None,
) -> None:
    arrivals.sort()
    times = np.array([at for at, _ in arrivals])
    places = np.array([place for _, place in arrivals], dtype=np.int64)
    costs = Costs(fixed, each, 0.25, batch_records, pause=1.0, start=5.0)
    aims = Aims(least=1, most=4, lag=2.0) if scaled else None
    seen = simulate(times, places, 4, costs, workers=workers, aims=aims, down=down)
    assert (seen.waits >= fixed + each + 0.25 - 1e-9).all()
    for number in range(4):
        ends = (times + seen.waits)[places == number]
        assert all(before <= after + 1e-9 for before, after in pairwise(ends))
        # A batch's messages end together; no more of them than a batch holds.
        _, sizes = np.unique(ends.round(6), return_counts=True)
        assert sizes.max(initial=0) <= batch_records


def test_nothing_is_done_while_there_is_no_worker() -> None:
    times = np.arange(0.0, 100.0)
    places = np.zeros(100, dtype=np.int64)
    seen = simulate(times, places, 1, Costs(0.0, 0.1, pause=2.0), workers=1, down=(20.0, 60.0))
    ends = times + seen.waits
    assert not ((ends > 20.2) & (ends < 62.0)).any()
    assert [number for _, number in seen.workers] == [1, 0, 1]


def test_a_burst_brings_workers_and_quiet_takes_them_away() -> None:
    waves = [Wave(300.0, 1.0), Wave(600.0, 15.0), Wave(4_000.0, 1.0)]
    dice = np.random.default_rng(11)
    times = poisson(waves, dice)
    places = dice.integers(0, 8, len(times))
    seen = simulate(times, places, 8, Costs(0.0, 0.25), workers=2, aims=Aims())
    numbers = [number for _, number in seen.workers]
    assert max(numbers) > 3
    assert numbers[-1] == 2
    assert max(lag for _, lag in seen.lag) > 30
