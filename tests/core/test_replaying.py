from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import jsonschema_rs
import orjson
from hypothesis import given
from hypothesis import strategies as st

from router.assembly import open_validators
from router.core.dead_letters import Wanted, place_of, read_dead_letter, schema_of
from router.core.event import Rejected
from router.core.line import Line
from router.core.record import Headers, InRecord, OutRecord, Source
from router.core.records import TOO_LARGE_KEEPS, dead_letter
from router.core.replaying import Mark, Standing, judge, original, read_mark, replay_records
from router.core.topics import Topics
from router.resources import SCHEMAS
from tests.core.policy_fixtures import TIME, StubClock, StubLanguages, policy_of

TOPICS = Topics()
SOURCE = Source("messages.chat", 3, 41)
AT = Source("router.dead-letter", 0, 17)
MISSING = Rejected("missing_field", "time", "time is required.")
TOO_LARGE = Rejected("too_large", "$", "Too large.")
VALID = jsonschema_rs.Draft202012Validator(
    orjson.loads((SCHEMAS / "dead-letter-headers.v1.json").read_bytes()), validate_formats=True
)

headers = st.lists(
    st.tuples(
        st.sampled_from(["content-type", "traceparent", "x", "router-reason", "router-attempts"]),
        st.none() | st.binary(max_size=20),
    ),
    max_size=5,
).map(tuple)
events = st.builds(
    InRecord,
    source=st.builds(
        Source,
        st.sampled_from(TOPICS.inputs),
        st.integers(0, 2**31 - 1),
        st.integers(0, 2**63 - 1),
    ),
    key=st.none() | st.binary(max_size=20),
    value=st.none() | st.binary(max_size=200),
    headers=headers,
    broker_time=st.just(0.0),
)


def back(out: OutRecord, at: Source = AT) -> InRecord:
    """``out`` as it is read from its topic."""
    return InRecord(at, out.key, out.value, out.headers, 5.0)


def line_of(max_event_bytes: int = 10_000) -> Line:
    return Line(
        policy_of(),
        None,
        StubLanguages(),
        open_validators(),
        TOPICS,
        StubClock(),
        max_event_bytes=max_event_bytes,
        router_version="1",
    )


def own(given_headers: Headers) -> Headers:
    return tuple(pair for pair in given_headers if not pair[0].startswith("router-"))


@given(events)
def test_an_event_comes_back_from_its_dead_letter_as_it_was(event: InRecord) -> None:
    letter = read_dead_letter(back(dead_letter(MISSING, event, TIME, TOPICS)))
    assert (letter.at, letter.source, letter.time) == (AT, event.source, TIME)
    assert (letter.reason, letter.field, letter.detail) == ("missing_field", "time", MISSING.detail)
    found = original(letter, None)
    assert found is not None
    assert (found.source, found.key, found.value) == (event.source, event.key, event.value)
    assert found.headers == own(event.headers)


@given(events, st.integers(1, 10_000))
def test_what_is_sent_again_carries_its_trail_and_leaves_its_mark(
    event: InRecord, attempts: int
) -> None:
    tried = replace(
        event, headers=(*own(event.headers), ("router-attempts", str(attempts).encode()))
    )
    letter = read_dead_letter(back(dead_letter(MISSING, tried, TIME, TOPICS)))
    standing = Standing(letter=letter, schema="", state="accepted", event=original(letter, None))
    again, mark = replay_records(standing, TIME, TOPICS)
    assert (again.topic, again.key, again.value) == (event.source.topic, event.key, event.value)
    assert again.headers[: len(own(event.headers))] == own(event.headers)
    trail = dict(again.headers[len(own(event.headers)) :])
    assert trail == {
        "router-replayed-at": b"2026-03-02T08:15:27Z",
        "router-replayed-from": b"router.dead-letter/0/17",
        "router-attempts": str(attempts + 1).encode(),
        "router-source-topic": event.source.topic.encode(),
        "router-source-partition": str(event.source.partition).encode(),
        "router-source-offset": str(event.source.offset).encode(),
    }
    assert mark.topic == TOPICS.replays
    read = read_mark(back(mark))
    assert read == Mark(AT, event.source, "2026-03-02T08:15:27Z")
    assert read.of(letter)
    assert not read.of(replace(letter, source=replace(event.source, offset=2**63)))


@given(events)
def test_a_second_dead_letter_says_which_one_came_before(event: InRecord) -> None:
    letter = read_dead_letter(back(dead_letter(MISSING, event, TIME, TOPICS)))
    standing = Standing(letter=letter, schema="", state="accepted", event=original(letter, None))
    again, _ = replay_records(standing, TIME, TOPICS)
    second = dead_letter(MISSING, back(again, SOURCE), TIME, TOPICS)
    said = {name: (value or b"").decode(errors="replace") for name, value in second.headers}
    VALID.validate(said)
    read = read_dead_letter(back(second, Source(AT.topic, 0, 99)))
    assert read.replayed_from == str(AT)
    assert read.attempts == letter.attempts + 1
    assert read.source == SOURCE


@given(st.tuples(st.just("router-replayed-from"), st.binary(max_size=30)))
def test_a_trail_that_upstream_invented_is_not_carried_on(pair: tuple[str, bytes]) -> None:
    record = InRecord(SOURCE, None, b"{", (pair,), 0.0)
    said = read_dead_letter(back(dead_letter(MISSING, record, TIME, TOPICS))).replayed_from
    assert not said or place_of(said)


@given(st.lists(st.tuples(st.text(max_size=25), st.none() | st.binary(max_size=30))))
def test_any_record_reads_as_a_dead_letter(pairs: list[tuple[str, bytes | None]]) -> None:
    letter = read_dead_letter(InRecord(AT, None, b"?", tuple(pairs), 0.0))
    assert letter.attempts >= 1
    assert letter.size >= 1
    assert schema_of(letter, TOPICS) == ""


def test_of_a_too_large_event_the_whole_is_fetched_and_must_be_the_same() -> None:
    value = b"x" * (TOO_LARGE_KEEPS + 100)
    came = InRecord(SOURCE, b"k", value, (("a", b"1"), ("router-attempts", b"2")), 0.0)
    letter = read_dead_letter(back(dead_letter(TOO_LARGE, came, TIME, TOPICS)))
    assert (letter.size, letter.whole) == (len(value), False)
    found = original(letter, came)
    assert found is not None
    assert (found.value, found.key, found.headers) == (value, b"k", (("a", b"1"),))
    assert original(letter, None) is None
    assert original(letter, replace(came, value=b"y" + value[1:])) is None
    assert original(letter, replace(came, value=value[:-1])) is None
    assert original(letter, replace(came, value=None)) is None


def test_the_line_says_what_it_reads_now() -> None:
    value = b'{"event_id":"e","time":"2026-03-02T08:00:00Z","conversation_id":"c","text":"hi"}'
    event = InRecord(SOURCE, b"c", value, (), 0.0)
    assert judge(event, line_of()) is None
    refused = judge(event, line_of(max_event_bytes=len(value) - 1))
    assert refused is not None
    assert refused.reason == "too_large"


def test_a_schema_is_what_the_event_says_or_its_topics() -> None:
    def schema(value: bytes, topic: str = "messages.email") -> str:
        record = InRecord(Source(topic, 0, 1), None, value, (), 0.0)
        return schema_of(read_dead_letter(back(dead_letter(MISSING, record, TIME, TOPICS))), TOPICS)

    assert schema(b'{"schema":"chat-message/v9"}') == "chat-message/v9"
    assert schema(b"{}") == "email-message/v1"
    assert schema(b"{}", "elsewhere") == ""
    assert schema(b'{"schema":"words of a customer"}') == ""
    assert schema(b'{"schema":7}') == ""
    assert schema(b"[1]") == ""
    assert schema(b"{") == ""


def test_only_what_is_wanted_is_held() -> None:
    record = InRecord(SOURCE, None, b"{}", (), 0.0)
    letter = read_dead_letter(back(dead_letter(MISSING, record, TIME, TOPICS)))
    later = datetime(2026, 3, 2, 9, tzinfo=UTC)
    holds = {
        Wanted(): True,
        Wanted(reasons=frozenset({"missing_field", "not_json"})): True,
        Wanted(reasons=frozenset({"not_json"})): False,
        Wanted(fields=frozenset({"text"})): False,
        Wanted(topics=frozenset({"messages.email"})): False,
        Wanted(schemas=frozenset({"chat-message/v1"})): True,
        Wanted(schemas=frozenset({"chat-message/v2"})): False,
        Wanted(since=TIME, until=later): True,
        Wanted(until=TIME): False,
        Wanted(since=later): False,
    }
    assert {one: one.holds(letter, "chat-message/v1") for one in holds} == holds
    assert not Wanted(since=TIME).holds(replace(letter, time=None), "")


def test_a_mark_counts_by_its_key_even_where_its_value_is_broken() -> None:
    assert read_mark(InRecord(AT, b"t/0/1", b"{", (), 0.0)) == Mark(Source("t", 0, 1), None, "")
    assert read_mark(InRecord(AT, b"t/0", b"{}", (), 0.0)) is None
    assert read_mark(InRecord(AT, None, None, (), 0.0)) is None
