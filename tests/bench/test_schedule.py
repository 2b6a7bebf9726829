"""When the messages of an open loop are due."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from tests.bench.latency import Input, Way, send
from tests.bench.schedule import poisson, steady


def test_a_steady_schedule_has_equal_steps() -> None:
    assert steady(4.0, 5) == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_customers_come_in_order_within_the_time_and_at_the_rate_on_average() -> None:
    due = poisson(200.0, 100.0)
    assert all(before < after for before, after in pairwise(due))
    assert due[0] > 0
    assert due[-1] < 100.0
    assert len(due) == pytest.approx(20_000, rel=0.03)


def test_customers_come_in_clusters_and_gaps() -> None:
    gaps = sorted(after - before for before, after in pairwise(poisson(100.0, 100.0)))
    assert gaps[len(gaps) // 100] < 0.001
    assert gaps[-len(gaps) // 100] > 0.04


def test_a_seed_gives_the_same_schedule_again() -> None:
    assert poisson(50.0, 2.0, seed=7) == poisson(50.0, 2.0, seed=7) != poisson(50.0, 2.0, seed=8)


async def test_a_record_that_is_sent_late_counts_from_when_it_was_due() -> None:
    due = [0.0, 0.001, 0.002, 0.003]

    async def slow_send(*_: Any, **__: Any) -> Any:
        await asyncio.sleep(0.02)
        done = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    def record(_: int) -> Input:
        return Input("in", b"", b"")

    way = Way("", "out", record, lambda number, _: number, lambda _: 0)
    sent = await send(SimpleNamespace(send=slow_send), way, due)
    first = sent[0][1]
    assert [at - first for _, at, _ in sent] == pytest.approx(due)
