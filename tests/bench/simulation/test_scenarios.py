"""Arrivals, costs out of a document, and a scenario played short."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.bench.document import cells_in, waits_in
from tests.bench.drawn import drawn_document
from tests.bench.figures import latencies
from tests.bench.schedule import poisson as customers
from tests.bench.simulation.arrivals import Wave, daily, partitions_of, poisson, skew
from tests.bench.simulation.fitting import checks, costs_of, drained
from tests.bench.simulation.scenarios import PARTITIONS, play, scenarios
from tests.bench.simulation.world import Costs, simulate


def test_customers_come_in_order_and_at_each_waves_rate() -> None:
    times = poisson([Wave(1_000.0, 2.0), Wave(1_500.0, 20.0)], np.random.default_rng(1))
    assert (np.diff(times) >= 0).all()
    assert (times < 1_000).sum() == pytest.approx(2_000, rel=0.1)
    assert (times >= 1_000).sum() == pytest.approx(10_000, rel=0.05)


def test_a_day_has_a_quiet_night_and_two_peaks() -> None:
    rates = [wave.rate for wave in daily(100.0, 24.0)]
    assert max(rates) == pytest.approx(100, rel=0.01)
    assert min(rates) == pytest.approx(10, rel=0.1)
    peaks = [place for place in range(1, 95) if rates[place - 1] < rates[place] >= rates[place + 1]]
    assert len(peaks) == 2


def test_few_conversations_that_write_most_fill_one_partition() -> None:
    alike, uneven = (
        skew(
            partitions_of(
                50_000, 8, np.random.default_rng(1), conversations=5_000, exponent=exponent
            ),
            8,
        )
        for exponent in (0.0, 1.5)
    )
    assert 1.0 <= alike < 1.15
    assert uneven > 2.0


@pytest.mark.parametrize("fixed", [0.0, 0.004, 0.02])
def test_costs_are_found_again_from_a_rate_and_the_latency_at_half_of_it(fixed: float) -> None:
    document = drawn_document()
    cells, waits = cells_in(document), waits_in(document)
    real = Costs(fixed, 1 / 200 - fixed / Costs(0, 0).batch_records, after=0.02)
    half = next(wait for wait in waits if wait.load == "live" and wait.share == 0.5)
    due = np.asarray(customers(half.rate, 60.0))
    places = np.arange(len(due), dtype=np.int64) % half.case.partitions
    seen = simulate(due, places, half.case.partitions, real, workers=1)
    costs = costs_of(cells, dict(waits) | {half: [latencies(seen.waits.tolist())]})
    assert costs.fixed == pytest.approx(fixed, rel=0.15, abs=0.001)
    assert costs.after == 0.02
    assert drained(costs, 1, 4) == pytest.approx(200, rel=0.02)


def test_without_a_latency_a_batch_is_taken_to_cost_nothing_of_its_own() -> None:
    cells = cells_in(drawn_document())
    assert costs_of(cells, {}) == Costs(0.0, 1 / 200)


def test_no_live_run_is_no_fit() -> None:
    with pytest.raises(ValueError, match="no run of the live bundle"):
        costs_of({}, {})


def test_the_simulation_is_set_beside_two_workers_and_each_latency() -> None:
    document = drawn_document()
    cells, waits = cells_in(document), waits_in(document)
    found = {one.name: one for one in checks(cells, waits, costs_of(cells, waits))}
    assert len(found) == 2 + 2 * 3
    assert found["messages a second, 2 workers"].error == pytest.approx(2 / 1.8 - 1, abs=0.05)


def test_every_scenario_has_a_name_and_a_policy_of_its_own() -> None:
    names = [(one.name, one.policy) for one in scenarios()]
    assert len(set(names)) == len(names) >= 12


def test_a_scenario_played_twice_is_the_same_and_an_outage_is_waited_for() -> None:
    document = drawn_document()
    costs = replace(costs_of(cells_in(document), waits_in(document)), each=0.1, fixed=0.0)
    (outage,) = (one for one in scenarios() if one.down and one.policy == "lag and processor")
    told = play(outage, costs, scale=0.1)
    assert told == play(outage, costs, scale=0.1) != play(outage, costs, scale=0.1, seed=2)
    assert told.longest > 50
    assert outage.workers <= told.most <= PARTITIONS
