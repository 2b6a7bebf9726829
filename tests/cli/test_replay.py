"""`router replay` where no broker is needed: wrong usage, files, and a broker that is away."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from router.cli.main import run
from router.cli.replay_file import exporting, read_edits
from router.cli.replay_output import Survey, print_letters, print_plan
from router.core.dead_letters import read_dead_letter
from router.core.event import Rejected
from router.core.record import InRecord, Source
from router.core.records import dead_letter
from router.core.replaying import Standing, State, original
from router.core.topics import Topics
from router.errors import UsageError
from tests.kafka import leash

WHEN = datetime(2026, 3, 2, 8, 15, 27, tzinfo=UTC)
REJECTED = Rejected("missing_field", "time", "time is required.")


def standing(number: int, state: State = "accepted", value: bytes = b"{}") -> Standing:
    came = InRecord(Source("messages.chat", 0, number), b"k", value, (), 0.0)
    out = dead_letter(REJECTED, came, WHEN, Topics())
    at = Source("router.dead-letter", 0, number)
    letter = read_dead_letter(InRecord(at, out.key, out.value, out.headers, 0.0))
    return Standing(
        letter=letter,
        schema="chat-message/v1",
        state=state,
        event=original(letter, None) if state in ("accepted", "refused") else None,
        refusal=REJECTED if state == "refused" else None,
    )


def survey_of(*standings: Standing, keep: int = 100) -> Survey:
    survey = Survey(keep, with_replayed=False, sought=set())
    for one in standings:
        survey.add(one)
    return survey


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        (["--from", "mend.jsonl"], "--from goes with --re-emit"),
        (["--re-emit", "--from", "mend.jsonl", "--reason", "not_json"], "goes with no filter"),
        (["--export", "mend.jsonl", "--re-emit"], "not both"),
        (["--since", "yesterday"], "expected RFC 3339"),
        (["--since", "2026-03-02T08:00:00"], "expected RFC 3339"),
        (
            ["--since", "2026-03-02T08:00:00Z", "--until", "2026-03-02T08:00:00+00:00"],
            "--since must be before --until",
        ),
        (["--reason", "mising_field"], "Did you mean missing_field?"),
        (["--reason", "too_large", "--reason", "purple"], "There is no reason purple. They are"),
        (["--schema", "chat"], "chat is no schema's name"),
        (["--topic", "elsewhere"], "elsewhere is no input topic"),
        (["--re-emit", "--from", "nowhere.jsonl"], "nowhere.jsonl cannot be read"),
        (["--limit", "0"], "0 is not in the range"),
    ],
)
def test_wrong_usage_is_told(
    args: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["replay", "dead-letter", *args]) == 2
    assert problem in capsys.readouterr().err


@pytest.mark.parametrize(
    "args",
    [
        ["dead-letter"],
        ["decisions", "--from", "2026-03-02T08:00:00Z", "--to", "2026-03-02T09:00:00Z"],
    ],
)
def test_a_broker_that_is_away_is_told(
    args: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    address = f"127.0.0.1:{leash.free_ports(1)[0]}"
    monkeypatch.setenv("ROUTER_BROKER", address)
    assert run(["replay", *args]) == 3
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(f"No broker answers at {address}. See whether it runs")
    assert told.err.count("\n") == 1


def test_an_export_that_breaks_off_leaves_no_half_file(tmp_path: Path) -> None:
    file = tmp_path / "mend.jsonl"

    def break_off() -> None:
        with exporting(file, None) as export:
            export.add(standing(1))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert not file.exists()


def test_an_export_is_for_its_owner_and_overwrites_nothing(tmp_path: Path) -> None:
    file = tmp_path / "mend.jsonl"
    with exporting(file, 2) as export:
        for one in (standing(1), standing(2, "gone"), standing(3, "refused"), standing(4)):
            export.add(one)
    assert (export.written, export.gone) == (2, 1)
    assert file.stat().st_mode & 0o777 == 0o600
    assert [place.offset for place in read_edits(file)] == [1, 3]
    with pytest.raises(UsageError, match="exists already"), exporting(file, None):
        pass
    with pytest.raises(UsageError, match="cannot be written"), exporting(tmp_path / "no/f", None):
        pass


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ('{"dead_letter":"t/0/1","value":"x"}\n{', "line 2: it is no JSON object"),
        ('{"dead_letter":"t/0/1","value":"x"}\n' * 2, "line 2: t/0/1 stands there twice"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(tmp_path: Path, content: str, problem: str) -> None:
    file = tmp_path / "mend.jsonl"
    file.write_text(content)
    with pytest.raises(UsageError, match=problem):
        read_edits(file)


def test_the_list_counts_all_and_shows_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    survey = survey_of(
        standing(1), standing(2, "replayed"), standing(3, "refused"), standing(4), keep=2
    )
    print_letters(survey, show_text=False, as_json=False)
    told = capsys.readouterr()
    assert [line.split("\t")[-2] for line in told.out.splitlines()[1:]] == [
        "router.dead-letter/0/1",
        "router.dead-letter/0/3",
    ]
    assert "3 dead letters: 3 missing_field." in told.err
    assert "The first 2 are listed" in told.err
    assert "1 more were sent again already" in told.err
    assert "2 would be read now" in told.err


def test_a_value_that_is_shown_cannot_speak_to_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    survey = survey_of(standing(1, value=b"\x1b[2J\r\nhello"))
    print_letters(survey, show_text=True, as_json=False)
    told = capsys.readouterr().out
    assert "hello" in told
    assert "\x1b" not in told
    assert "\r" not in told


def test_the_plan_says_of_each_why_it_stays(capsys: pytest.CaptureFixture[str]) -> None:
    states: list[State] = ["accepted", "replayed", "refused", "gone", "foreign", "too_old"]
    survey = survey_of(*(standing(number, state) for number, state in enumerate(states)))
    survey.sought = {Source("router.dead-letter", 0, 99)}
    assert survey.unsendable == 4
    assert survey.states == Counter(states)
    print_plan(survey, 1, as_json=False, sent=1, delivery="at-least-once")
    told = capsys.readouterr().out.splitlines()
    assert told == [
        "1 sent again, at least once.",
        "1 were sent again before.",
        "1 would be refused still: missing_field.",
        "1 cannot be sent: only the event's beginning is left anywhere.",
        "1 cannot be sent: names no input topic of these settings.",
        "1 cannot be sent: older than the marks that say what was sent again.",
        "1 of the file are not on the topic, router.dead-letter/0/99 first.",
    ]
