"""The capacity model's arithmetic, and what it says of the document it was filled from."""

from __future__ import annotations

import math
from dataclasses import replace

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bench.capacity import (
    Assumed,
    Work,
    batches_a_message,
    error,
    limits,
    mixed,
    partitions_for,
    plan,
    workers_for,
)
from tests.bench.capacity_report import PAGE, checked, works_in
from tests.bench.capacity_tables import input_partitions, tables
from tests.bench.cases import Text
from tests.bench.document import cells_in, waits_in
from tests.bench.drawn import drawn_document
from tests.bench.marked import written
from tests.bench.readme_table import KEPT
from tests.bench.record_sizes import Sizes, sizes_of

WORK = Work(rate=100.0, memory=3e8, into=300.0, out=700.0)
ASSUMED = Assumed()
rates = st.floats(0.1, 2e6)


@settings(max_examples=40, deadline=None)
@given(rates)
def test_what_is_left_of_a_lost_zone_and_after_an_outage_is_enough(rate: float) -> None:
    workers, _ = workers_for(rate, WORK, ASSUMED)
    hair = 1 - 1e-6
    assert (workers - math.ceil(workers / ASSUMED.zones)) * WORK.rate >= rate * hair
    assert workers * WORK.rate * ASSUMED.busy >= rate * hair
    behind = rate * ASSUMED.outage / ASSUMED.catch_up
    assert workers * WORK.rate >= (rate + behind) * hair
    assert workers >= 2


@settings(max_examples=40, deadline=None)
@given(rates, rates)
def test_more_traffic_never_needs_less(one: float, other: float) -> None:
    low, high = sorted((one, other))
    few, many = plan(low, WORK, ASSUMED, 8), plan(high, WORK, ASSUMED, 8)
    assert few.workers <= many.workers
    assert few.brokers <= many.brokers
    assert few.groups <= many.groups
    assert set(few.full) <= set(many.full)


@settings(max_examples=40, deadline=None)
@given(rates)
def test_the_busiest_lane_fits_one_worker_and_all_have_as_many_partitions(rate: float) -> None:
    workers, _ = workers_for(rate, WORK, ASSUMED)
    partitions = partitions_for(rate, workers, WORK, ASSUMED)
    assert partitions % workers == 0
    assert ASSUMED.skew * rate / partitions <= WORK.rate * ASSUMED.busy * (1 + 1e-9)


@pytest.mark.parametrize(
    ("rate", "workers", "why"),
    [(1, 2, "a zone lost"), (1_000, 15, "ordinary traffic"), (10_000, 150, "a zone lost")],
)
def test_workers_for_rates_that_can_be_checked_by_hand(rate: float, workers: int, why: str) -> None:
    assert workers_for(rate, WORK, ASSUMED) == (workers, why)


def test_a_long_outage_or_a_worker_kept_half_idle_sets_the_number_instead() -> None:
    outage = replace(ASSUMED, outage=3600.0)
    assert workers_for(1_000, WORK, outage) == (20, "catching up")
    assert workers_for(1_000, WORK, replace(ASSUMED, busy=0.4)) == (25, "ordinary traffic")


def test_bytes_are_counted_with_their_copies_and_readers() -> None:
    found = plan(1_000, WORK, ASSUMED, 8)
    assert found.into_brokers == 1_000 * 1_000 * 3
    assert found.out_of_brokers == 1_000 * (1_000 * 2 + 1_000)
    assert found.kept == found.disk * 7 * 86_400


def test_a_slice_of_one_makes_two_batches_and_a_large_one_no_more_than_there_are_partitions() -> (
    None
):
    assert batches_a_message(replace(ASSUMED, slice_records=1.0)) == pytest.approx(2)
    large = replace(ASSUMED, slice_records=1e6)
    assert batches_a_message(large) * 1e6 == pytest.approx(2 * ASSUMED.output_partitions)


def test_what_is_full_first_comes_first() -> None:
    found = limits(WORK, ASSUMED, 8)
    assert list(found.values()) == sorted(found.values())
    assert next(iter(found)) == "one worker's processor"
    assert found["as many workers as partitions"] == pytest.approx(560)
    assert plan(561, WORK, ASSUMED, 8).full[-1] == "as many workers as partitions"


def test_a_mix_takes_as_long_as_its_kinds() -> None:
    assert mixed({"a": 100.0, "b": 50.0}, {"a": 0.5, "b": 0.5}) == pytest.approx(1 / 0.015)
    assert error(110, 100) == pytest.approx(0.1)


def test_a_document_comes_back_as_it_was() -> None:
    document = drawn_document()
    cells = cells_in(document)
    assert sum(map(len, cells.values())) == sum(len(row["rounds"]) for row in document["runs"])
    assert len(waits_in(document)) == len(document["latency"])


def test_the_model_is_set_beside_two_workers_and_the_mix() -> None:
    found = {one["name"]: one["error"] for one in checked(cells_in(drawn_document()))}
    assert found.keys() == {
        "copy, messages a second of two workers, from one",
        "copy, processor µs a message of two workers, from one",
        "live, messages a second of two workers, from one",
        "live, processor µs a message of two workers, from one",
        "live, messages a second of the mix, from its kinds",
    }
    assert found["live, messages a second of two workers, from one"] == pytest.approx(2 / 1.8 - 1)
    assert found["live, processor µs a message of two workers, from one"] == pytest.approx(0.8)
    assert found["live, messages a second of the mix, from its kinds"] == pytest.approx(
        1 / (0.6 + 0.25 / 0.4 + 0.15 / 0.1) / 0.38 - 1
    )


def test_the_tables_have_a_row_for_each_length_rate_and_limit() -> None:
    document = drawn_document()
    cells = cells_in(document)
    text = "\n".join(tables(works_in(cells, some_sizes), checked(cells), document, "mix"))
    for words in ("chat of 16 tokens", "emails of 200 tokens", "| 1,000,000 |", "two workers"):
        assert words in text
    assert f"{input_partitions()} partitions" in text


def test_the_page_shows_the_kept_documents_figures_or_says_that_there_are_none() -> None:
    inside = written(PAGE.read_text(encoding="utf-8"), "capacity")
    if not KEPT.exists():
        assert not [line for line in inside if line.startswith("|")]
        return
    document = orjson.loads(KEPT.read_bytes())
    cells = cells_in(document)
    made = tables(works_in(cells, some_sizes), checked(cells), document, "mix")
    # The first line and the checks: what is between them takes the model's tokenizer, and a while.
    last = len(checked(cells))
    assert [inside[0], *inside[-last:]] == [made[0], *made[-last:]]


def test_a_message_and_what_is_made_of_it_have_a_size() -> None:
    sizes = sizes_of("chat", lambda words: len(words.split()), most=20)
    assert sizes.records == 2
    assert 100 < sizes.into < 500
    assert sizes.out > 2 * sizes.into


def some_sizes(_: Text) -> Sizes:
    return Sizes(into=300.0, out=700.0, records=2.0)
