"""The summary says yes only where everything agrees, and shows why not."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from router.core.record import Source
from router.core.topics import DEAD_LETTER, IGNORED, REVIEW
from router.demo.ledger import Ledger, Seen, Sent
from router.demo.screen import LiveScreen, PlainScreen, progress
from router.demo.summary import Summary, show, summarise

QUEUES = ("fraud", "cards", REVIEW, DEAD_LETTER, IGNORED)


def _ledger() -> Ledger:
    ledger = Ledger()
    for offset, queue in enumerate(("cards", "cards", "fraud", REVIEW, DEAD_LETTER, IGNORED)):
        source = Source("messages.chat", 0, offset)
        event_id = f"event-{offset}"
        ledger.emit(Sent(source, event_id, f"my\x1b[31m card {offset}", 1.0))
        confidence = 0.8 if queue in ("cards", "fraud") else None
        named = None if queue == DEAD_LETTER else event_id
        ledger.decide(Seen(source, queue, "intent", confidence, named, 1.0 + offset / 100))
        if queue not in (DEAD_LETTER, IGNORED):
            ledger.copy(source, queue)
    return ledger


def _summary(**changes: Any) -> Summary:
    rest = {
        "consumed": 6,
        "worker_exit": 0,
        "seconds": 1.5,
        "seed": 1,
        "broker": "127.0.0.1:9",
        "topic_prefix": "",
        "worker_log": "",
    }
    return replace(summarise(_ledger(), QUEUES, **rest), **changes)


def _shown(summary: Summary) -> str:
    console = Console(file=io.StringIO(), width=100)
    show(summary, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_run_in_which_all_agrees_is_good() -> None:
    summary = _summary()
    assert summary.ok
    assert summary.faults() == []
    assert summary.equation == "consumed 6 = routed 3 + review 1 + dead-lettered 1 + ignored 1"
    assert "all accounted for" in _shown(summary)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"missing": ("event-9",)}, "1 emitted records have no outcome: event-9"),
        ({"consumed": 5}, "metrics count 5 of 6"),
        ({"consumed": 7}, "the equation does not hold"),
        ({"emitted": 7}, "count 6 of 7"),
        ({"worker_exit": 6, "worker_log": "its last words"}, "exit status 6"),
        ({"problems": ("messages.chat/0/1 is on a and on b",)}, "is on a and on b"),
    ],
)
def test_whatever_does_not_agree_makes_it_bad_and_is_told(
    changes: dict[str, Any], words: str
) -> None:
    summary = _summary(**changes)
    assert not summary.ok
    assert words in _shown(summary)
    assert "all accounted for" not in _shown(summary)
    assert summary.as_json()["ok"] is False
    assert summary.as_json()["faults"]


def test_repeats_stand_in_the_equation() -> None:
    summary = _summary(repeats=2, consumed=8)
    assert summary.ok
    assert summary.equation.startswith("consumed 8 = ")
    assert summary.equation.endswith(" + repeated 2")


def test_on_shared_topics_what_was_emitted_stands_in_the_equation() -> None:
    summary = _summary(consumed=None)
    assert summary.ok
    assert summary.equation.startswith("emitted 6 = ")


def test_an_equation_that_does_not_hold_is_not_written_as_one() -> None:
    assert "consumed 7 ≠ " in _summary(consumed=7).equation


def test_queues_come_in_the_policys_order() -> None:
    assert [queue for queue, _, _ in _summary().reasons] == list(QUEUES)


def test_the_json_form_can_be_read_by_a_machine() -> None:
    given = json.loads(json.dumps(_summary().as_json()))
    assert (given["routed"], given["review"], given["dead_lettered"], given["ignored"]) == (
        3,
        1,
        1,
        1,
    )
    assert given["outcomes"][0] == {"queue": "fraud", "reason": "intent", "count": 1}
    assert given["mean_confidence"] == {"fraud": 0.8, "cards": 0.8}


def test_a_run_without_any_outcome_can_be_shown() -> None:
    empty = summarise(
        Ledger(),
        QUEUES,
        consumed=0,
        worker_exit=0,
        seconds=0.0,
        seed=1,
        broker="b",
        topic_prefix="",
        worker_log="",
    )
    assert "consumed 0 = routed 0" in _shown(empty)
    assert empty.as_json()["latency_seconds"] is None


@pytest.mark.parametrize(("width", "height"), [(80, 24), (100, 40), (160, 50), (40, 10)])
def test_the_live_picture_fits_any_terminal(width: int, height: int) -> None:
    file = io.StringIO()
    environ = {"TERM": "xterm"}  # whatever the tests' own terminal can do
    console = Console(file=file, width=width, height=height, force_terminal=True, _environ=environ)
    with LiveScreen(console, ("fraud", "cards")) as screen:
        screen.refresh(Ledger(), 6)
        screen.refresh(_ledger(), 6)
    text = file.getvalue()
    assert "cards" in text
    assert "my\x1b[31m" not in text
    for name in ("emitted 6/6", "decided 6"):
        assert name in text


def test_the_plain_form_is_lines_without_terminal_codes() -> None:
    file = io.StringIO()
    screen = PlainScreen(Console(file=file, width=100))
    screen.say("starting a worker")
    with screen:
        screen.refresh(_ledger(), 6)
        screen.refresh(_ledger(), 6)
    lines = file.getvalue().splitlines()
    assert len(lines) == 2
    assert "\x1b" not in file.getvalue()
    assert progress(_ledger(), 6) in lines[1]
    assert "p50 30 ms" in lines[1]
