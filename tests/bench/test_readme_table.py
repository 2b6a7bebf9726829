"""The README's table is what the kept document says, and nothing else."""

from __future__ import annotations

import orjson
import pytest

from tests.bench.capacity_report import PAGE
from tests.bench.document import cells_in, waits_in
from tests.bench.drawn import drawn_document
from tests.bench.marked import rewrite, written
from tests.bench.readme_table import KEPT, MARK, README, readme_lines
from tests.bench.simulation.__main__ import MARK as SIMULATION
from tests.bench.simulation.__main__ import head
from tests.bench.simulation.fitting import costs_of

MARKED = "a\n<!-- x: written by a program, do not edit -->\nold\n<!-- x: end -->\nz\n"


def test_the_readmes_table_is_the_kept_documents() -> None:
    inside = written(README.read_text(encoding="utf-8"), MARK)
    if KEPT.exists():
        assert inside == readme_lines(orjson.loads(KEPT.read_bytes()))
    else:
        assert inside == []


def test_the_page_shows_the_kept_documents_simulation_or_says_that_there_is_none() -> None:
    inside = written(PAGE.read_text(encoding="utf-8"), SIMULATION)
    if KEPT.exists():
        document = orjson.loads(KEPT.read_bytes())
        assert inside[0] == head(document, costs_of(cells_in(document), waits_in(document)))
    else:
        assert not [line for line in inside if line.startswith("|")]


def test_the_table_says_command_machine_date_and_commit() -> None:
    head = readme_lines(drawn_document())[0]
    for words in ("`make bench`", "A processor", "2 cores", "avx2", "2026-01-05", "0123456789ab"):
        assert words in head
    assert "with changes" not in head
    assert "with changes" in readme_lines(drawn_document() | {"changed": True})[0]


def test_every_promise_is_in_the_table_and_says_whether_it_is_kept() -> None:
    document = drawn_document()
    rows = [line.split(" | ") for line in readme_lines(document)[4:]]
    promised = [ratio for ratio in document["ratios"] if ratio["bound"] is not None]
    said = [row[-1].removesuffix(" |") for row in rows if row[-1].strip(" |")]
    assert len(said) == len(promised)
    assert sum(words.endswith("missed") for words in said) == sum(
        not ratio["kept"] for ratio in promised
    )
    assert {len(row) for row in rows} == {5}


@pytest.mark.parametrize(
    "words",
    [
        "copy alone, at least once, messages a second | 200,000 | aiokafka 100,000 | 2.00",
        "with the live model, latency at 50% of capacity, p50 and p99 | 20.0 and 50.0 ms",
        "processor time a message, two workers",
        "from start to the first decision | 3.5 s",
    ],
)
def test_throughput_latency_two_workers_and_the_start_each_have_a_row(words: str) -> None:
    assert words in "\n".join(readme_lines(drawn_document()))


def test_what_is_between_the_marks_is_written_anew_and_the_rest_is_left() -> None:
    page = rewrite(MARKED, "x", ["new", "lines"])
    assert page == MARKED.replace("old", "new\nlines")
    assert written(page, "x") == ["new", "lines"]
    assert written(rewrite(page, "x", []), "x") == []


@pytest.mark.parametrize("page", ["", MARKED + MARKED, MARKED.replace("x: end", "y: end")])
def test_a_page_without_its_marks_is_refused(page: str) -> None:
    with pytest.raises(ValueError, match="the page needs one"):
        rewrite(page, "x", [])


def test_the_table_of_a_single_round_says_that_it_is_one_and_shows_no_spread() -> None:
    text = "\n".join(readme_lines(drawn_document(rounds=1)))
    assert "one round" in text
    assert "±" not in text
