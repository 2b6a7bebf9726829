"""The core against the contracts: it reads what the schemas allow, and writes what they promise."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.core.event import Rejected
from router.core.line import Line, Outcome
from router.core.parsing import EventValidators, parse_event
from router.core.prediction import IntentScore, ModelRef, Prediction, Predictions, Question
from router.core.record import InRecord, OutRecord, Source
from router.core.topics import Channel, Topics
from router.policies import open_policy
from tests.contract.contracts import EVENTS, Example, Fault, examples, schema, validator

TOPICS = Topics()
VALIDATORS = EventValidators({"chat": schema("chat-message"), "email": schema("email-message")})
POLICY = open_policy()
INTENTS = (*sorted(POLICY.intents), "an_intent_that_no_queue_takes")
MAX_BYTES = 10_000
MODEL = ModelRef("a-model", "1", "0" * 64)
DECISION = schema("routing-decision")
QUEUED = validator({**DECISION, "$ref": "#/$defs/queued"})
LOGGED = validator({**DECISION, "$ref": "#/$defs/logged"})
DEAD_LETTER = validator(schema("dead-letter-headers"))


def _record(channel: Channel, value: bytes | None, offset: int = 0) -> InRecord:
    topic = TOPICS.chat if channel == "chat" else TOPICS.email
    headers = (("ce_specversion", b"1.0"), ("content-type", b"application/json"))
    return InRecord(Source(topic, 0, offset), b"key", value, headers, 1_772_442_927.0)


def _channel(example: Example) -> Channel:
    return "chat" if example.contract == "chat-message" else "email"


def _parsed(example: Example) -> Any:
    value = json.dumps(example.value, ensure_ascii=False).encode()
    channel = _channel(example)
    return parse_event(channel, _record(channel, value), VALIDATORS, MAX_BYTES)


@pytest.mark.parametrize("example", examples("valid", *EVENTS), ids=str)
def test_a_valid_example_is_read(example: Example) -> None:
    event = _parsed(example)
    assert not isinstance(event, Rejected)
    assert event.event_id == example.value["event_id"]
    assert event.time == datetime.fromisoformat(example.value["time"])


@pytest.mark.parametrize("example", examples("invalid", *EVENTS), ids=str)
def test_an_invalid_example_is_rejected_with_its_reason_and_field(example: Example) -> None:
    rejected = _parsed(example)
    assert isinstance(rejected, Rejected)
    assert Fault(rejected.reason, rejected.field) == example.fault


@dataclass(frozen=True, slots=True)
class _Clock:
    def now(self) -> float:
        return 1_772_443_000.0

    def monotonic(self) -> float:
        return 10.0


@dataclass(frozen=True, slots=True)
class _Language:
    code: str

    def languages_of(self, texts: Sequence[str], locales: Sequence[str | None]) -> list[str]:
        return [self.code] * len(texts)


@dataclass(frozen=True, slots=True)
class _Model:
    """Says the same of every text."""

    prediction: Prediction
    ref: ModelRef = MODEL
    languages: frozenset[str] = frozenset({"en"})
    intents: tuple[str, ...] = INTENTS
    flags: tuple[str, ...] = ()

    def predict(self, questions: Sequence[Question]) -> Predictions:
        return Predictions((self.prediction,) * len(questions), 0.001, 0.002)


shares = st.floats(0, 1).map(lambda share: round(share, 4))
predictions = st.builds(
    Prediction,
    intents=st.lists(
        st.builds(IntentScore, intent=st.sampled_from(INTENTS), confidence=shares), min_size=1
    ).map(lambda scores: tuple(sorted(scores, key=lambda score: -score.confidence))),
    in_scope=shares,
    stage=st.just("one"),
    truncated=st.booleans(),
)
VALUES: dict[Channel, list[dict[str, Any]]] = {
    "chat": [example.value for example in examples("valid", "chat-message")],
    "email": [example.value for example in examples("valid", "email-message")],
}
IDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=512)


@st.composite
def events(draw: st.DrawFn) -> tuple[Channel, bytes]:
    """A valid example under other ids, and in other words where it is a chat's."""
    channel = draw(st.sampled_from(tuple(VALUES)))
    value = {**draw(st.sampled_from(VALUES[channel])), "event_id": draw(IDS)}
    value["conversation_id" if channel == "chat" else "thread_id"] = draw(IDS)
    if channel == "chat":
        value["text"] = draw(st.text(st.characters(exclude_categories=["Cs"])))
    return channel, json.dumps(value, ensure_ascii=draw(st.booleans())).encode()


def _route(
    channel: Channel, value: bytes | None, prediction: Prediction | None, language: str
) -> Outcome:
    line = Line(
        POLICY,
        _Model(prediction) if prediction else None,
        _Language(language),
        VALIDATORS,
        TOPICS,
        _Clock(),
        max_event_bytes=MAX_BYTES,
        router_version="0.1.0",
    )
    (outcome,) = line.route([_record(channel, value, offset=7)], fetched_at=9.0)
    return outcome


def _headers(record: OutRecord) -> dict[str, str]:
    return {name: value.decode() for name, value in record.headers if value is not None}


@given(events(), st.none() | predictions, st.sampled_from(["en", "de", "und"]))
def test_every_decision_keeps_to_its_schema(
    event: tuple[Channel, bytes], prediction: Prediction | None, language: str
) -> None:
    outcome = _route(*event, prediction, language)
    assert outcome.decision is not None
    for record in outcome.records:
        assert record.value is not None
        decision = json.loads(record.value)
        (LOGGED if record.topic == TOPICS.decisions else QUEUED).validate(decision)
        assert decision.get("message", json.loads(event[1])) == json.loads(event[1])
        assert record.key == decision["conversation_id"].encode()
        assert _headers(record)["ce_id"] == decision["decision_id"]
        assert _headers(record)["ce_type"] == decision["schema"]


BAD = [json.dumps(e.value).encode() for e in examples("invalid", "chat-message")]


@given(st.sampled_from(BAD) | st.binary() | st.none() | st.just(b" " * (MAX_BYTES + 1)))
def test_every_dead_letters_headers_keep_to_their_schema(value: bytes | None) -> None:
    outcome = _route("chat", value, None, "en")
    assert outcome.kind == "dead_letter"
    (record,) = outcome.records
    DEAD_LETTER.validate(_headers(record))
