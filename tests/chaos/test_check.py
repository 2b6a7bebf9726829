"""The checker finds each fault that is planted, and nothing where there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from tests.chaos.check import DEAD_LETTER, FAULTS, IGNORED, Fault, check, expected_id
from tests.chaos.history import Deed, Delivery, History, Produced, Read, Standing, load, save

_TOPIC = "messages.chat"
_COUNT = 12


def read(number: int, topic: str, queue: str, *, log: bool = False) -> Read:
    source = f"{_TOPIC}/0/{number}"
    conversation = f"c{number % 3}"
    return Read(
        topic, number % 3, number, source, conversation, expected_id(source), queue, "intent", log
    )


def good(delivery: Delivery = "exactly-once") -> History:
    """Three conversations on one input; one event is ignored, one dead-lettered, one was never
    acknowledged and is not there, one was never acknowledged and is."""
    history = History(delivery)
    history.produced = [Produced(n, n != 5) for n in range(_COUNT)]
    history.produced.append(Produced(_COUNT, acked=False))
    for number in range(_COUNT):
        history.standing.append(Standing(_TOPIC, 0, number, number, f"c{number % 3}"))
        if number == 4:
            history.read.append(read(number, "decisions", IGNORED, log=True))
        elif number == 7:
            letter = read(number, "dead", DEAD_LETTER)
            history.read.append(replace(letter, decision_id="", reason=""))
        else:
            queue = f"q{number % 2}"
            history.read.append(read(number, f"queue.{queue}", queue))
            history.read.append(read(number, "decisions", queue, log=True))
    return history


def again(record: Read, **changes: object) -> Read:
    """A copy of it that stands behind all that is there."""
    return replace(record, offset=record.offset + 1000, **changes)  # type: ignore[arg-type]  # named


def of(history: History, number: int, *, log: bool = False) -> Read:
    source = f"{_TOPIC}/0/{number}"
    return next(one for one in history.read if one.source == source and one.log == log)


def lose_all(history: History) -> None:
    history.read = [one for one in history.read if not one.source.endswith("/6")]


def lose_the_place(history: History) -> None:
    history.read.remove(of(history, 6))


def lose_the_log(history: History) -> None:
    history.read.remove(of(history, 6, log=True))


def lose_on_the_way_in(history: History) -> None:
    lose_all(history)
    history.standing = [one for one in history.standing if one.number != 6]


def double(history: History) -> None:
    history.read.append(again(of(history, 6)))


def double_a_dead_letter(history: History) -> None:
    history.read.append(again(of(history, 7)))


def reorder(history: History) -> None:
    """Events 0 and 6 are of one conversation and one queue."""
    history.read.remove(first := of(history, 0))
    history.read.append(again(first))


def spread(history: History) -> None:
    history.read.remove(first := of(history, 6))
    history.read.append(replace(first, partition=9))


def route_twice(history: History) -> None:
    history.read.append(again(of(history, 6), topic="queue.q2", queue="q2"))


def contradict_the_log(history: History) -> None:
    history.read.remove(entry := of(history, 6, log=True))
    history.read.append(replace(entry, queue="q1"))


def dead_letter_too(history: History) -> None:
    history.read.append(again(of(history, 6), topic="dead", queue=DEAD_LETTER, decision_id=""))


def name_it_otherwise(history: History) -> None:
    history.read.remove(one := of(history, 6))
    history.read.append(replace(one, decision_id=expected_id("another")))


def invent(history: History) -> None:
    history.read.append(read(99, "queue.q1", "q1"))


PLANTED: list[tuple[Callable[[History], None], Fault]] = [
    (lose_all, "lost"),
    (lose_the_place, "lost"),
    (lose_the_log, "lost"),
    (lose_on_the_way_in, "lost"),
    (double, "duplicated"),
    (double_a_dead_letter, "duplicated"),
    (reorder, "reordered"),
    (spread, "reordered"),
    (route_twice, "routed twice"),
    (contradict_the_log, "routed twice"),
    (dead_letter_too, "routed twice"),
    (name_it_otherwise, "unequal id"),
    (invent, "invented"),
]
_ALLOWED_TWICE = (double, double_a_dead_letter)


@pytest.mark.parametrize("delivery", get_args(Delivery))
def test_a_good_history_has_no_violation(delivery: Delivery) -> None:
    verdict = check(good(delivery))
    assert verdict.violations == ()
    assert (verdict.repeats, verdict.degraded) == (0, 0)


@pytest.mark.parametrize(("plant", "fault"), PLANTED, ids=lambda one: getattr(one, "__name__", one))
def test_a_planted_fault_is_found_and_named(plant: Callable[[History], None], fault: Fault) -> None:
    history = good()
    plant(history)
    assert {one.fault for one in check(history).violations} == {fault}


@pytest.mark.parametrize(
    ("plant", "fault"),
    [one for one in PLANTED if one[0] not in _ALLOWED_TWICE],
    ids=lambda one: getattr(one, "__name__", one),
)
def test_at_least_once_excuses_nothing_else(plant: Callable[[History], None], fault: Fault) -> None:
    history = good("at-least-once")
    plant(history)
    assert {one.fault for one in check(history).violations} == {fault}


@pytest.mark.parametrize("plant", _ALLOWED_TWICE)
def test_at_least_once_allows_a_copy_with_an_equal_id(plant: Callable[[History], None]) -> None:
    history = good("at-least-once")
    plant(history)
    verdict = check(history)
    assert verdict.violations == ()
    assert verdict.repeats == 1


def test_a_copy_with_another_id_is_doubled_in_at_least_once_too() -> None:
    history = good("at-least-once")
    history.read.append(again(of(history, 6), decision_id=expected_id("another")))
    assert {one.fault for one in check(history).violations} == {"duplicated", "unequal id"}


def test_a_repeat_out_of_turn_is_no_reordering() -> None:
    """First appearances count: what is sent again comes late."""
    history = good("at-least-once")
    history.read += [again(of(history, n)) for n in (0, 2, 6)]
    assert check(history).violations == ()


def test_every_fault_is_planted_and_counted() -> None:
    assert {fault for _, fault in PLANTED} == set(FAULTS) == set(get_args(Fault))
    history = good()
    lose_all(history)
    assert check(history).count("lost") == 2


def test_a_history_is_the_same_after_a_file(tmp_path: Path) -> None:
    history = good()
    history.deeds.append(Deed(1.5, "kill", {"slot": 1, "phase": "SENDING"}))
    save(history, tmp_path / "history.jsonl")
    assert load(tmp_path / "history.jsonl") == history


def test_another_file_is_no_history(tmp_path: Path) -> None:
    (tmp_path / "other.jsonl").write_text('{"kind": "produced", "number": 1, "acked": true}\n')
    with pytest.raises(ValueError, match="no history"):
        load(tmp_path / "other.jsonl")
