"""Every line given is answered, in order, as the worker would decide it."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.assembly import build_line
from router.cli import route
from router.cli.main import run
from router.cli.route_input import NO_ID, InputReader
from router.core.line import Line
from router.core.topics import Channel, Topics
from router.ops.clock import SystemClock
from router.settings import Settings

EMAIL = (
    b"From: Ada <ada@example.org>\r\nTo: help@bank.example\r\nSubject: Card\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    b"Hello,\r\nmy new card has not arrived yet, where is it?\r\n"
)
EVENT = {
    "schema": "chat-message/v1",
    "event_id": "e1",
    "time": "2026-03-01T10:00:00+01:00",
    "conversation_id": "c1",
    "text": "The exchange rate on my payment was wrong",
}
Run = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def line() -> Line:
    return build_line(Settings(), SystemClock(), lambda _where, error: pytest.fail(repr(error)))


@pytest.fixture(autouse=True)
def _one_line(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """Load the model once for all tests."""
    monkeypatch.setattr(route, "build_line", lambda *_: line)


@pytest.fixture
def answers(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    def ask(*args: str, given: bytes = b"") -> list[dict[str, Any]]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        assert run(["route", "--json", *args]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        return [json.loads(line) for line in out.splitlines()]

    return ask


def lines(*values: object) -> bytes:
    return b"".join(
        (value if isinstance(value, bytes) else orjson.dumps(value)) + b"\n" for value in values
    )


def test_a_message_goes_to_its_queue_and_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["route", "my card has not arrived yet"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("card-delivery\n")
    assert "card_arrival" in out
    assert "confidence" in out


def test_json_has_what_machines_were_promised(answers: Run) -> None:
    (answer,) = answers("my card has not arrived yet")
    assert answer["queue"] == "card-delivery"
    assert answer["topic"] == "queue.card-delivery"
    assert answer["intent"] == answer["candidates"][0]["intent"]
    assert answer["confidence"] == answer["candidates"][0]["confidence"]
    assert answer["flags"] == []
    assert answer["language"] == "en"
    assert "id" not in answer


def test_words_without_quotation_marks_are_one_message(answers: Run) -> None:
    assert answers("my", "card", "has", "not", "come")[0]["queue"] == "card-delivery"


def test_whole_and_short_lines_and_broken_ones_are_answered_in_order(
    answers: Run, tmp_path: Path
) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(
        lines(
            {"id": 7, "text": "my card has not arrived yet"},
            EVENT | {"id": {"any": "json"}},
            b"not json",
            b"",
            {"id": None, "subject": "Card", "body_text": "My new card has not arrived yet."},
            EVENT | {"author": "bot"},
            {"id": "x", "text": 5},
            b'{"id": "y", "text": "\\ud800"}',
            b"[" * 5000,
            {"raw": base64.b64encode(EMAIL).decode()},
            {key: value for key, value in EVENT.items() if key != "time"},
            EVENT | {"schema": "chat-message/v9"},
            b"\xff\xfe",
        )
    )
    found = answers(str(path))
    assert [answer["line"] for answer in found] == [1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13]
    dead = "router.dead-letter"
    assert [(answer["queue"], answer["reason"]) for answer in found] == [
        ("card-delivery", "intent"),
        ("exchange", "intent"),
        (dead, "not_json"),
        ("card-delivery", "intent"),
        ("router.ignored", "not_customer"),
        (dead, "wrong_type"),
        (dead, "lone_surrogate"),
        (dead, "too_deep"),
        ("card-delivery", "intent"),
        (dead, "missing_field"),
        (dead, "unknown_schema"),
        (dead, "not_utf8"),
    ]
    assert [answer.get("id", "none") for answer in found[:7]] == [
        *(7, {"any": "json"}, "none", None, "none", "x", "y"),
    ]
    assert found[9]["field"] == "time"
    assert found[9]["event_id"] == "e1"
    required = {"queue", "reason", "intent", "confidence", "flags", "language", "candidates"}
    assert all(required <= answer.keys() for answer in found)


def test_people_get_a_block_a_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(lines({"id": 7, "text": "my card has not arrived yet"}, b"not json"))
    assert run(["route", str(path)]) == 0
    first, second = capsys.readouterr().out.split("\n\n")
    assert first.startswith("line 1 (id 7): card-delivery\n")
    assert second.startswith("line 2: router.dead-letter\n")
    assert "reason not_json · field $" in second


def test_standard_input_is_texts_until_the_first_object(answers: Run) -> None:
    given_lines = b"my card has not arrived yet\n\n{bad\nno text any more\n"
    found = answers("-", given=given_lines)
    assert [answer["reason"] for answer in found] == ["intent", "not_json", "not_json"]


def test_an_email_is_read_whole(answers: Run, tmp_path: Path) -> None:
    path = tmp_path / "message.eml"
    path.write_bytes(EMAIL)
    by_option, by_name = answers("--email", str(path)), answers(str(path))
    assert by_option[0]["queue"] == by_name[0]["queue"] == "card-delivery"
    assert by_option[0]["channel"] == "email"


def test_the_channel_may_be_said(answers: Run, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(lines({"event_id": "e", "time": "2026-03-01T10:00:00Z", "text": "hello"}))
    assert answers(str(path))[0]["field"] == "conversation_id"
    assert answers("--channel", "email", str(path))[0]["field"] == "thread_id"


def test_a_language_that_is_given_is_a_hint() -> None:
    asked = reader().json(b'{"text": "ok", "language": "nl"}')
    assert orjson.loads(asked.record.value or b"")["locale"] == "nl"


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        ([], "Give a message, a file, or -"),
        (["--email", __file__, "text"], "not both"),
        (["gone.jsonl"], "There is no file gone.jsonl."),
        (["--email", "/nowhere.eml"], "/nowhere.eml"),
    ],
)
def test_wrong_usage_is_told_and_is_2(
    args: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["route", *args]) == 2
    assert problem in capsys.readouterr().err


def test_a_policy_and_a_model_may_be_named(monkeypatch: pytest.MonkeyPatch, line: Line) -> None:
    seen: list[Settings] = []

    def build(settings: Settings, *_: object) -> Line:
        seen.append(settings)
        return line

    monkeypatch.setattr(route, "build_line", build)
    assert run(["route", "--policy", "p.yaml", "--model", "m@2", "hello"]) == 0
    assert seen == [replace(seen[0], policy="p.yaml", model="m@2")]


@pytest.mark.parametrize(
    ("fields", "channel"),
    [
        ({"text": "x"}, "chat"),
        ({"text": "x", "subject": "y"}, "chat"),
        ({"subject": "y"}, "email"),
        ({"raw": ""}, "email"),
        ({"thread_id": "t", "text": "x"}, "email"),
        ({"schema": "email-message/v1", "conversation_id": "c"}, "email"),
        ({"schema": 5, "thread_id": "t"}, "email"),
        ({}, "chat"),
    ],
)
def test_fields_tell_the_channel(fields: dict[str, object], channel: Channel) -> None:
    topic = reader().json(orjson.dumps(fields)).record.source.topic
    assert Topics().channel(topic) == channel


def reader() -> InputReader:
    return InputReader(Topics(), SystemClock())


@given(
    st.dictionaries(
        st.sampled_from(["schema", "event_id", "time", "thread_id"]), st.text(), min_size=1
    )
)
def test_an_event_with_a_mark_of_its_own_goes_on_byte_for_byte(fields: dict[str, str]) -> None:
    value = orjson.dumps(fields)
    assert reader().json(value).record.value == value


@given(st.lists(st.binary()))
def test_any_lines_at_all_give_a_question_each(given_lines: list[bytes]) -> None:
    stream = io.BytesIO(b"\n".join(given_lines))
    wanted = [number for number, one in enumerate(stream, start=1) if one.strip(b" \t\r\n")]
    stream.seek(0)
    assert [asked.line for asked in reader().lines(stream, json_only=False)] == wanted


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
)
def test_an_id_comes_back_as_it_was(given_id: object) -> None:
    try:
        value = orjson.dumps({"id": given_id, "text": "hi"})
    except TypeError:  # text that is no Unicode
        return
    assert reader().json(value).id == given_id
    assert reader().json(b'{"text": "hi"}').id is NO_ID


def test_a_stream_is_answered_while_it_comes_and_not_held(
    line: Line, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten batches are taken one after another: memory does not grow with the input."""
    taken: list[int] = []

    def numbers() -> Iterator[bytes]:
        for number in range(2560):
            taken.append(number)
            yield b'{"text": ""}'

    held: list[int] = []
    route_batch = Line.route

    def watched(self: Line, records: Any, fetched_at: float) -> Any:
        held.append(len(taken) - len(records) * (len(held) + 1))
        return route_batch(self, records, fetched_at)

    monkeypatch.setattr(Line, "route", watched)
    questions = reader().lines(numbers(), json_only=True)
    route._answer(line, questions, Settings(), machine=True)
    assert len(capsys.readouterr().out.splitlines()) == 2560
    assert held == [0] * 10


def test_the_command_runs_as_people_run_it() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "router", "route", "--json", "-"],
        input=lines({"id": 1, "text": "my card has not arrived yet"}),
        capture_output=True,
        check=False,
        timeout=100,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["queue"] == "card-delivery"
