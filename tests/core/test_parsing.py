"""Any bytes give an event or a rejection that says what is wrong and quotes nothing."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.core.event import ChatMessage, EmailMessage, Event, Rejected
from router.core.parsing import EventValidators, parse_event
from router.core.record import Headers, InRecord, Source
from router.core.topics import Channel
from router.resources import SCHEMAS

LIMIT = 100_000
VALIDATORS = EventValidators(
    {
        "chat": orjson.loads((SCHEMAS / "chat-message.v1.json").read_bytes()),
        "email": orjson.loads((SCHEMAS / "email-message.v1.json").read_bytes()),
    }
)
CHAT: dict[str, Any] = {
    "event_id": "chat-1",
    "time": "2026-03-02T09:15:27.120+01:00",
    "conversation_id": "conv-1",
    "text": "Where is my card?",
}
EMAIL: dict[str, Any] = {
    "event_id": "mail-1",
    "time": "2026-03-02T09:15:27Z",
    "thread_id": "thread-1",
    "subject": "Card",
    "body_text": "Where is it?",
}
MIME = b"Subject: Hello\r\nFrom: a@customer.example\r\n\r\nWhere is my card?\r\n"


def record(value: bytes | None, headers: Headers = ()) -> InRecord:
    return InRecord(Source("messages.chat", 0, 7), b"conv-1", value, headers, 1_772_442_927.0)


def parsed(
    value: bytes | dict[str, Any] | None, channel: Channel = "chat", headers: Headers = ()
) -> Event | Rejected:
    raw = orjson.dumps(value) if isinstance(value, dict) else value
    return parse_event(channel, record(raw, headers), VALIDATORS, LIMIT)


def refused(value: bytes | dict[str, Any] | None, channel: Channel = "chat") -> tuple[str, str]:
    rejected = parsed(value, channel)
    assert isinstance(rejected, Rejected)
    assert rejected.detail
    return rejected.reason, rejected.field


def test_a_chat_event_is_read_whole() -> None:
    raw = orjson.dumps({**CHAT, "locale": "en-GB", "campaign": [1, {"a": None}]})
    event = parsed(raw)
    assert isinstance(event, ChatMessage)
    assert event.text == "Where is my card?"
    assert event.conversation_id == "conv-1"
    assert event.time == datetime(2026, 3, 2, 8, 15, 27, 120_000, tzinfo=UTC)
    assert (event.author, event.locale, event.country) == ("customer", "en-GB", None)
    assert event.fields["campaign"] == [1, {"a": None}]
    assert event.raw == raw


def test_an_email_of_parsed_fields_is_read_whole() -> None:
    headers = {"X-Thing": "1", "Received": ["a", "b"]}
    event = parsed({**EMAIL, "headers": headers, "from": "a@b.example"}, "email")
    assert isinstance(event, EmailMessage)
    assert (event.subject, event.body_text, event.body_html) == ("Card", "Where is it?", "")
    assert event.headers == {"x-thing": "1", "received": "a, b", "from": "a@b.example"}


def test_a_raw_email_is_read_whole() -> None:
    given_fields = {k: v for k, v in EMAIL.items() if k not in ("subject", "body_text")}
    event = parsed({**given_fields, "raw": base64.b64encode(MIME).decode()}, "email")
    assert isinstance(event, EmailMessage)
    assert (event.subject, event.body_text.strip()) == ("Hello", "Where is my card?")
    assert event.headers["from"] == "a@customer.example"


def test_of_a_key_given_twice_the_last_counts() -> None:
    raw = orjson.dumps(CHAT)[:-1] + b',"text":"the last"}'
    event = parsed(raw)
    assert isinstance(event, ChatMessage)
    assert event.text == "the last"


WITH_EXTRA = orjson.dumps(CHAT)[:-1] + b',"extra":'


@pytest.mark.parametrize(
    ("value", "reason", "field"),
    [
        (None, "null_value", "$"),
        (b"", "not_json", "$"),
        (b"   ", "not_json", "$"),
        (b"not json", "not_json", "$"),
        (b'{"text":"cut of', "not_json", "$"),
        (b'{"n":NaN}', "not_json", "$"),
        (b'\xef\xbb\xbf{"a":1}', "not_json", "$"),
        (b'{"text":"\xff"}', "not_utf8", "text"),
        (b'{"a":[0,{"b":"\xc3("}]}', "not_utf8", "a.1.b"),
        (b"\xff\xfe{\x00", "not_utf8", "$"),
        (b"[1]", "not_an_object", "$"),
        (b"null", "not_an_object", "$"),
        (b'{"text":"\\ud800 alone"}', "lone_surrogate", "text"),
        (b'{"a":{"b":["x","\\udc00"]}}', "lone_surrogate", "a.b.1"),
        (b'{"a":{"\\ud800":1}}', "lone_surrogate", "a"),
        (b'{"a":[1,1e999]}', "number_out_of_range", "a.1"),
        (b'{"a":-1e400}', "number_out_of_range", "a"),
        (WITH_EXTRA + b"18446744073709551616}", "number_out_of_range", "extra"),
        (WITH_EXTRA + b"[0, -9223372036854775809]}", "number_out_of_range", "extra.1"),
        (WITH_EXTRA + b"9" * 5_000 + b"}", "number_out_of_range", "extra"),
        (WITH_EXTRA + b"[" * 200 + b"]" * 200 + b"}", "too_deep", "extra" + ".0" * 11 + ".…"),
        (b"[" * 90_000, "too_deep", "0" + ".0" * 11 + ".…"),
        (b'{"a":' * 15_000, "too_deep", "a" + ".a" * 11 + ".…"),
        (b" " * (LIMIT + 1), "too_large", "$"),
        ({**CHAT, "schema": "chat-message/v2", "text": 1}, "unknown_schema", "schema"),
        ({**CHAT, "schema": 1}, "wrong_type", "schema"),
        ({**CHAT, "time": "0000-01-01T00:00:00Z"}, "invalid_value", "time"),
        ({**CHAT, "time": "0001-01-01T00:00:00+10:00"}, "invalid_value", "time"),
        ({**CHAT, "author": "robot"}, "invalid_value", "author"),
        ({**CHAT, "attachments": [{}, {"size": "1"}]}, "wrong_type", "attachments.1.size"),
    ],
)
def test_a_bad_value_is_named_with_its_field(value: Any, reason: str, field: str) -> None:
    assert refused(value) == (reason, field)


@pytest.mark.parametrize(
    "extra",
    [
        b"18446744073709551615}",
        b"-9223372036854775808}",
        b'": 99999999999999999999"}',
        b'"[99999999999999999999]"}',
        b"99999999999999999999.5}",
        b'"\\ud83d\\ude00 \\\\ud800"}',
        b'"' + b"[{" * 500 + b'"}',
        b"[" * 120 + b"]" * 120 + b"}",
        b"1e-999}",
    ],
)
def test_what_only_looks_bad_is_read(extra: bytes) -> None:
    assert isinstance(parsed(WITH_EXTRA + extra), ChatMessage)


@pytest.mark.parametrize("raw", ["%%%", "QQ", "QUJD", ""])
def test_a_raw_that_is_no_mail_is_bad_mime(raw: str) -> None:
    given_fields = {k: v for k, v in EMAIL.items() if k not in ("subject", "body_text")}
    assert refused({**given_fields, "raw": raw}, "email") == ("bad_mime", "raw")


@pytest.mark.parametrize(
    "kind", [b"application/json", b"Application/JSON; charset=utf-8", b"application/vnd.a+json"]
)
def test_json_content_types_are_read(kind: bytes) -> None:
    headers: Headers = (("Content-Type", kind), ("ce_specversion", b"1.0"), ("x", None))
    assert isinstance(parsed(CHAT, headers=headers), ChatMessage)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("content-type", b"application/avro"),
        ("content-type", b"text/plain"),
        ("content-type", b"application/cloudevents+json"),
        ("content-type", b"application/cloudevents-batch+json; charset=utf-8"),
        ("content-type", b"\xff\x00"),
        ("ce_specversion", b"0.3"),
        ("ce_specversion", b"2.0"),
    ],
)
def test_headers_that_announce_something_else_are_believed(name: str, content: bytes) -> None:
    rejected = parsed(CHAT, headers=((name, content),))
    assert isinstance(rejected, Rejected)
    assert (rejected.reason, rejected.field) == ("unsupported_content_type", "$")
    assert name in rejected.detail


@pytest.mark.parametrize("number", range(60))
def test_a_value_of_exactly_the_limit_is_read(number: int) -> None:
    spare = LIMIT - len(orjson.dumps({**CHAT, "text": ""})) + (number - 59)
    event = parsed({**CHAT, "text": "x" * spare})
    assert isinstance(event, ChatMessage)


def test_a_rejection_quotes_no_value() -> None:
    address = "jan@customer.example"
    hostile = [
        {**CHAT, "time": address},
        {**CHAT, "schema": address},
        {**CHAT, "author": address},
        {**CHAT, "country": address},
        {**CHAT, "text": {address: address}},
        {**CHAT, "attachments": [{"size": address}]},
    ]
    values = [orjson.dumps(fields) for fields in hostile]
    values += [
        b'{"%s":"\\ud800"}' % address.encode(),
        b'{"%s":[1e999]}' % address.encode(),
        b"{" + address.encode(),
        b'{"a":"%s\xff"}' % address.encode(),
    ]
    for value in values:
        rejected = parsed(value)
        assert isinstance(rejected, Rejected)
        assert "jan" not in rejected.field + rejected.detail


@given(st.binary(max_size=300), st.sampled_from(["chat", "email"]))
def test_any_bytes_give_an_answer(value: bytes, channel: Channel) -> None:
    assert isinstance(parsed(value, channel), Rejected)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
FIELDS = (
    "schema event_id time conversation_id thread_id author text subject body_text body_html raw"
    " headers from to attachments locale x.y"
)
FIELD = st.sampled_from(FIELDS.split())


@settings(max_examples=100)
@given(st.dictionaries(FIELD, JSON, max_size=3), st.sampled_from(["chat", "email"]))
def test_any_json_in_any_field_gives_an_answer(fields: dict[str, Any], channel: Channel) -> None:
    base = CHAT if channel == "chat" else EMAIL
    value = json.dumps({**base, **fields}).encode()
    answer = parsed(value, channel)
    if isinstance(answer, Rejected):
        assert answer.field
        assert answer.detail
    else:
        assert answer.time.utcoffset() == UTC.utcoffset(None)


@settings(max_examples=300)
@given(st.data(), st.sampled_from([b"", b"\xff", b"\\ud800", b'"', b"[" * 150, b"9" * 25, b"\x00"]))
def test_a_damaged_event_gives_an_answer(data: st.DataObject, damage: bytes) -> None:
    value = orjson.dumps({**CHAT, "extra": {"list": [1, "é", 2.5, True]}})
    at = data.draw(st.integers(0, len(value)))
    to = data.draw(st.integers(at, min(len(value), at + 4)))
    answer = parsed(value[:at] + damage + value[to:])
    if not isinstance(answer, Rejected):
        assert json.loads(answer.raw) == answer.fields


@given(st.integers(-(2**70), 2**70))
def test_an_integer_is_read_exactly_or_refused(number: int) -> None:
    answer = parsed(WITH_EXTRA + str(number).encode() + b"}")
    if isinstance(answer, Rejected):
        assert not -(2**63) <= number < 2**64
        assert answer.reason == "number_out_of_range"
    else:
        assert answer.fields["extra"] == number


@given(st.text())
def test_any_text_comes_through_unchanged(text: str) -> None:
    event = parsed(json.dumps({**CHAT, "text": text}).encode())
    assert isinstance(event, ChatMessage)
    assert event.text == text
