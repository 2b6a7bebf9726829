"""Dead letters on both brokers: listed, chosen, mended, sent again."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from router.cli.main import run
from tests.events import chat, sized
from tests.stream.replay.bench import LIMIT, MENDED, Bench, bad, event_ids, replay, send

pytestmark = pytest.mark.timeout(120)


def test_what_was_too_large_comes_back_once_after_the_limit_was_raised(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.traffic.emit([chat("small", "hello"), sized("large", 5_000), sized("huge", 100_000)])
    bench.work(max_event_bytes=LIMIT)
    monkeypatch.setenv("ROUTER_MAX_EVENT_BYTES", str(LIMIT))
    assert send(capsys)["refused"] == {"too_large": 2}
    assert not bench.sent_again()

    monkeypatch.setenv("ROUTER_MAX_EVENT_BYTES", "1000000")
    listed = replay(capsys)
    assert (listed["by_reason"], listed["by_state"]) == ({"too_large": 2}, {"accepted": 2})
    assert sorted(row["size"] for row in listed["dead_letters"]) == [5_000, 100_000]
    assert send(capsys)["sent"] == 2

    came = {str(one.source): one for one in bench.inputs()}
    for one in bench.sent_again():
        trail = {name: (value or b"").decode() for name, value in one.headers}
        first = came[
            "/".join(trail[f"router-source-{p}"] for p in ("topic", "partition", "offset"))
        ]
        assert (one.key, one.value) == (first.key, first.value)
        assert one.source.partition == first.source.partition
        assert trail["router-attempts"] == "2"
        assert trail["router-replayed-at"].endswith("Z")
    assert sorted(bench.marks()) == sorted(
        dict(one.headers)["router-replayed-from"].decode()  # type: ignore[union-attr]  # there
        for one in bench.sent_again()
    )

    again = send(capsys)
    assert (again["sent"], again["by_state"]) == (0, {"replayed": 2})
    assert len(bench.sent_again()) == 2
    bench.work()
    assert {"small", "large", "huge"} == {one["event_id"] for one in bench.decisions().values()}
    assert replay(capsys)["count"] == 0
    assert replay(capsys, "--all")["count"] == 2


def test_filters_choose_what_is_listed_and_sent(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.traffic.emit([sized("large", 5_000), bad("a"), bad("b", schema="chat-message/v1")])
    bench.work(max_event_bytes=LIMIT)
    for args, count in (
        ((), 3),
        (("--reason", "missing_field"), 2),
        (("--reason", "missing_field", "--reason", "too_large"), 3),
        (("--field", "time"), 2),
        (("--schema", "chat-message/v1"), 3),
        (("--schema", "chat-message/v2"), 0),
        (("--topic", bench.topics.chat), 3),
        (("--topic", bench.topics.email), 0),
        (("--since", "2020-01-01T00:00:00Z"), 3),
        (("--until", "2020-01-01T00:00:00Z"), 0),
    ):
        assert replay(capsys, *args)["count"] == count, args
    assert len(replay(capsys, "--limit", "1")["dead_letters"]) == 1
    assert send(capsys, "--reason", "missing_field")["sent"] == 0
    assert send(capsys, "--reason", "too_large")["sent"] == 1
    assert event_ids(bench.sent_again()) == ["large"]


def test_a_mended_value_goes_back_in_place_of_the_broken_one(
    bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.traffic.emit([bad("a"), bad("b"), bad("c")])
    bench.work()
    file = tmp_path / "mend.jsonl"
    assert replay(capsys, "--export", str(file))["exported"] == 3
    assert file.stat().st_mode & 0o777 == 0o600
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    for line in lines:
        if line["event"]["event_id"] != "c":
            line["event"] |= MENDED
    lines.append({"dead_letter": f"{bench.topics.dead_letter}/0/999999", "value": "{}"})
    file.write_text("\n".join(map(json.dumps, lines)))

    answer = send(capsys, "--from", str(file), code=1)
    assert (answer["sent"], answer["refused"]) == (2, {"missing_field": 1})
    assert answer["not_found"] == [f"{bench.topics.dead_letter}/0/999999"]
    assert sorted(event_ids(bench.sent_again())) == ["a", "b"]
    assert send(capsys, "--from", str(file), code=1)["sent"] == 0
    marks = [json.loads(one.value) for one in bench.on(bench.topics.replays)]
    assert [mark["mended"] for mark in marks] == [True, True]
    bench.work()
    assert {"a", "b"} == {one["event_id"] for one in bench.decisions().values()}


def test_an_event_that_is_refused_again_is_a_new_dead_letter_with_its_past(
    bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.traffic.emit([bad("a")])
    bench.work()
    file = tmp_path / "mend.jsonl"
    replay(capsys, "--export", str(file))
    line = json.loads(file.read_text())
    line["event"] |= MENDED
    file.write_text(json.dumps(line))
    assert send(capsys, "--from", str(file))["sent"] == 1
    bench.work(max_event_bytes=20)
    (row,) = replay(capsys)["dead_letters"]
    assert (row["reason"], row["attempts"]) == ("too_large", 2)
    assert row["replayed_from"] == line["dead_letter"]
    assert send(capsys)["sent"] == 1
    attempts = [dict(one.headers)["router-attempts"] for one in bench.sent_again()]
    assert sorted(attempts, key=str) == [b"2", b"3"]


def test_without_a_terminal_and_without_yes_nothing_is_sent(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.traffic.emit([sized("large", 5_000)])
    bench.work(max_event_bytes=LIMIT)
    answer = replay(capsys, "--re-emit", code=2)
    assert (answer["dry_run"], answer["to_send"], answer["sent"]) == (True, 1, 0)
    assert not bench.sent_again()


class Terminal(io.StringIO):
    """A standard input that a person sits at."""

    def isatty(self) -> bool:
        return True


@pytest.mark.kafka
def test_on_a_terminal_it_asks_first(
    kafka_bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bench = kafka_bench
    bench.traffic.emit([sized("large", 5_000)])
    bench.work(max_event_bytes=LIMIT)
    asked: list[str] = []
    answers = iter([False, True])

    def confirm(question: str, **_: object) -> bool:
        asked.append(question)
        return next(answers)

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("click.confirm", confirm)
    assert run(["replay", "dead-letter", "--re-emit"]) == 1
    assert not bench.sent_again()
    assert replay(capsys, "--re-emit")["sent"] == 1
    assert asked == ["Send 1 again?"] * 2


def test_customers_words_are_shown_only_where_they_are_asked_for(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.traffic.emit([bad("a", text="plums in the icebox")])
    bench.work()
    capsys.readouterr()
    for args in ([], ["--json"], ["--all"], ["--re-emit"], ["--re-emit", "--yes"]):
        run(["replay", "dead-letter", *args])
        told = capsys.readouterr()
        assert "icebox" not in told.out + told.err
    for args in (["--show-text"], ["--show-text", "--json"]):
        assert run(["replay", "dead-letter", *args]) == 0
        assert "plums in the icebox" in capsys.readouterr().out
