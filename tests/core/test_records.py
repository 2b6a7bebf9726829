from __future__ import annotations

from dataclasses import replace
from typing import Any

import jsonschema_rs
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.core.circumstances import Circumstances
from router.core.deciding import decide, ignore
from router.core.decision import Decision
from router.core.event import Rejected
from router.core.record import Headers, InRecord, OutRecord, Source
from router.core.records import KEPT_HEADERS_BYTES, TOO_LARGE_KEEPS, dead_letter, decision_records
from router.core.topics import Topics
from router.resources import SCHEMAS
from tests.core.policy_fixtures import MODEL, TIME, message, policy_of, prediction, record, text_of

SOURCE = Source("messages.chat", 3, 41)
TOPICS = Topics()
TRACEPARENT = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
AROUND = Circumstances(
    policy=policy_of(),
    model=MODEL,
    languages=None,
    decided_at=TIME,
    timings={"infer": 0.5, "decide": 0.001},
    router_version="1.2",
)


def decision_on(words: str = "hello", event: Any = None) -> Decision:
    event = event or message(words)
    return decide(
        event=event,
        source=SOURCE,
        text=text_of(words),
        matched=AROUND.policy.match(event, text_of(words)),
        prediction=prediction({"card_arrival": 0.93}),
        around=AROUND,
    )


def written(decision: Decision, raw: bytes = b"{}", headers: Headers = ()) -> list[OutRecord]:
    return list(decision_records(decision, replace(message(), raw=raw), headers, TOPICS))


def letter(record_in: InRecord, rejected: Rejected | None = None) -> OutRecord:
    rejected = rejected or Rejected("missing_field", "time", "time is required.")
    return dead_letter(rejected, record_in, TIME, TOPICS)


def headers_of(out: OutRecord) -> dict[str, bytes | None]:
    return dict(out.headers)


def validator(name: str) -> jsonschema_rs.Draft202012Validator:
    schema = orjson.loads((SCHEMAS / f"{name}.json").read_bytes())
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


def test_a_decision_goes_to_its_queue_with_its_message_and_to_the_log_without() -> None:
    raw = b'{"text":"hello", "extra" : [1,2.50]}'
    queued, logged = written(decision_on(), raw)
    assert (queued.topic, logged.topic) == ("queue.cards", "router.decisions")
    assert queued.value is not None
    assert queued.value.endswith(b',"message":' + raw + b"}")
    assert "message" not in orjson.loads(logged.value or b"")
    assert queued.key == logged.key == b"c1"


def test_both_records_follow_the_published_schema() -> None:
    check = validator("routing-decision.v1")
    for out in written(decision_on(), b'{"text":"x"}'):
        check.validate(orjson.loads(out.value or b""))


def test_times_are_written_in_utc_with_a_z() -> None:
    value = orjson.loads(written(decision_on())[1].value or b"")
    assert value["time"] == value["decided_at"] == "2026-03-02T08:15:27Z"
    assert value["due_at"] == "2026-03-03T08:15:27Z"


def test_review_has_its_own_topic() -> None:
    assert written(decision_on(""))[0].topic == "router.review"


def test_what_is_ignored_stands_only_in_the_log() -> None:
    (out,) = written(ignore(message(), SOURCE, "auto_reply", AROUND))
    assert out.topic == "router.decisions"
    assert orjson.loads(out.value or b"")["queue"] == "router.ignored"


def test_the_headers_are_a_cloud_event_in_binary_mode() -> None:
    decision = decision_on()
    assert headers_of(written(decision)[0]) == {
        "ce_specversion": b"1.0",
        "ce_id": decision.decision_id.encode(),
        "ce_source": b"urn:router",
        "ce_type": b"routing-decision/v1",
        "ce_subject": b"cards",
        "ce_time": b"2026-03-02T08:15:27Z",
        "content-type": b"application/json",
    }


def test_the_trace_context_goes_through() -> None:
    given_headers = (("traceparent", TRACEPARENT), ("tracestate", b"a=1"), ("x-own", b"1"))
    out = headers_of(written(decision_on(), headers=given_headers)[0])
    assert (out["traceparent"], out["tracestate"]) == (TRACEPARENT, b"a=1")
    assert "x-own" not in out


@pytest.mark.parametrize(
    "bad", [None, b"", b"00-zz", TRACEPARENT + b"\n", TRACEPARENT.upper(), TRACEPARENT * 100]
)
def test_a_malformed_trace_context_stops_here(bad: bytes | None) -> None:
    out = headers_of(
        written(decision_on(), headers=(("traceparent", bad), ("tracestate", b"a=1")))[0]
    )
    assert not {"traceparent", "tracestate"} & out.keys()


def test_a_tracestate_that_is_too_long_is_left_out() -> None:
    given_headers = (("traceparent", TRACEPARENT), ("tracestate", b"a" * 513))
    out = headers_of(written(decision_on(), headers=given_headers)[0])
    assert out["traceparent"] == TRACEPARENT
    assert "tracestate" not in out


def test_a_dead_letter_is_the_original_with_the_reason_in_its_headers() -> None:
    out = letter(record(b"\xff not json", offset=41))
    assert (out.topic, out.key, out.value) == ("router.dead-letter", b"key", b"\xff not json")
    assert headers_of(out) == {
        "router-reason": b"missing_field",
        "router-field": b"time",
        "router-detail": b"time is required.",
        "router-source-topic": b"messages.chat",
        "router-source-partition": b"3",
        "router-source-offset": b"41",
        "router-time": b"2026-03-02T08:15:27Z",
        "router-attempts": b"1",
    }


def test_a_dead_letters_headers_follow_the_published_schema() -> None:
    out = letter(record(b"x" * 70_000), Rejected("too_large", "$", "Too many bytes."))
    text = {name: (value or b"").decode() for name, value in out.headers}
    validator("dead-letter-headers.v1").validate(text)


def test_a_null_value_stays_null() -> None:
    assert letter(record(None), Rejected("null_value", "$", "No value.")).value is None


def test_of_a_too_large_value_the_beginning_and_the_size_are_kept() -> None:
    value = bytes(range(256)) * 1000
    out = letter(record(value), Rejected("too_large", "$", "Too many bytes."))
    assert out.value == value[:TOO_LARGE_KEEPS]
    assert headers_of(out)["router-size"] == b"256000"


def test_a_dead_letter_that_was_replayed_keeps_its_count_and_loses_its_old_reason() -> None:
    headers: Headers = (("router-attempts", b"4"), ("router-reason", b"not_json"))
    out = letter(record(b"x", headers=headers))
    assert headers_of(out)["router-attempts"] == b"4"
    assert [name for name, _ in out.headers].count("router-reason") == 1


@pytest.mark.parametrize("given_attempts", [None, b"", b"0", b"-1", b"many", b"9" * 30])
def test_a_malformed_count_begins_again(given_attempts: bytes | None) -> None:
    out = letter(record(b"x", headers=(("router-attempts", given_attempts),)))
    assert headers_of(out)["router-attempts"] == b"1"


def test_the_inputs_own_headers_go_with_its_dead_letter() -> None:
    out = letter(record(b"x", headers=(("content-type", b"text/plain"), ("empty", None))))
    assert out.headers[:2] == (("content-type", b"text/plain"), ("empty", None))


def test_headers_too_large_to_carry_are_left_out_except_the_trace() -> None:
    headers: Headers = (("big", b"x" * KEPT_HEADERS_BYTES), ("traceparent", TRACEPARENT))
    out = headers_of(letter(record(b"x", headers=headers)))
    assert "big" not in out
    assert out["traceparent"] == TRACEPARENT


@settings(deadline=None)
@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8"), max_size=5),
        st.none() | st.booleans() | st.text(st.characters(codec="utf-8")),
    )
)
def test_any_event_is_found_again_under_message(fields: dict[str, Any]) -> None:
    queued, _ = written(decision_on(), orjson.dumps(fields))
    assert orjson.loads(queued.value or b"")["message"] == fields
