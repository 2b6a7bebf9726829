from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.assembly import open_validators
from router.core.line import Line, Outcome
from router.core.policy import Policy
from router.core.record import InRecord
from router.core.text import LanguageStep
from router.core.topics import Topics
from tests.core.policy_fixtures import (
    StubClock,
    StubLanguages,
    StubModel,
    chat_record,
    policy_of,
    prediction,
    record,
)

VALIDATORS = open_validators()
SMALL = policy_of()


@dataclass
class Faults:
    seen: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, where: str, error: Exception) -> None:
        self.seen.append((where, str(error)))


def line_of(
    model: StubModel | None = None,
    faults: Faults | None = None,
    policy: Policy = SMALL,
    languages: LanguageStep | None = None,
) -> Line:
    return Line(
        policy,
        model,
        languages or StubLanguages(),
        VALIDATORS,
        Topics(),
        StubClock(),
        max_event_bytes=10_000,
        router_version="1.2",
        on_fault=faults or Faults(),
    )


def route(line: Line, *records: InRecord) -> list[Outcome]:
    return line.route(records, fetched_at=1000.0)


def test_a_message_is_routed_by_the_models_intent() -> None:
    (outcome,) = route(line_of(StubModel()), chat_record("where is my card"))
    assert (outcome.kind, outcome.channel, outcome.broker_time) == ("routed", "chat", 100.0)
    assert outcome.decision is not None
    assert (outcome.decision.queue, outcome.decision.reason) == ("cards", "intent")
    assert [out.topic for out in outcome.records] == ["queue.cards", "router.decisions"]
    assert outcome.rejected is None


def test_every_kind_of_outcome_in_one_batch_stands_in_its_own_place() -> None:
    outcomes = route(
        line_of(StubModel()),
        chat_record("where is my card", offset=1),
        chat_record("", offset=2),
        record(b"{", offset=3),
        chat_record("hello", offset=4, author="bot"),
        chat_record("they stole it", offset=5),
    )
    assert [outcome.kind for outcome in outcomes] == [
        "routed",
        "review",
        "dead_letter",
        "ignored",
        "routed",
    ]
    assert [outcome.source.offset for outcome in outcomes] == [1, 2, 3, 4, 5]


def test_only_messages_that_nothing_else_decides_reach_the_model() -> None:
    model = StubModel()
    route(
        line_of(model),
        chat_record("where is my card", offset=1),
        chat_record("they stole it", offset=2),
        chat_record("", offset=3),
        chat_record("sv: hej", offset=4),
        chat_record("hello", offset=5, author="colleague"),
        record(b"nothing", offset=6),
        chat_record("und so", offset=7),
    )
    assert model.asked == [["where is my card", "und so"]]


def test_a_model_that_nobody_needs_is_not_asked() -> None:
    model = StubModel()
    (outcome,) = route(line_of(model), chat_record("they stole it"))
    assert model.asked == []
    assert "infer" not in outcome.timings


def test_predictions_find_their_messages() -> None:
    model = StubModel(answer=lambda text: prediction({f"intent_{text}": 0.9}))
    outcomes = route(
        line_of(model),
        chat_record("a", offset=1),
        chat_record("they stole it", offset=2),
        chat_record("b", offset=3),
    )
    intents = [outcome.decision.intent for outcome in outcomes if outcome.decision]
    assert intents == ["intent_a", None, "intent_b"]


def test_a_model_that_fails_leaves_rules_and_people() -> None:
    model, faults = StubModel(breaks_on=frozenset({"one"})), Faults()
    outcomes = route(
        line_of(model, faults), chat_record("one"), chat_record("they stole it", offset=1)
    )
    reasons = [outcome.decision.reason for outcome in outcomes if outcome.decision]
    assert reasons == ["model_unavailable", "flag"]
    assert faults.seen == [("model", "the model broke")]


def test_without_a_model_the_line_still_works() -> None:
    outcomes = route(line_of(None), chat_record("hello"), chat_record("they stole it", offset=1))
    assert [outcome.kind for outcome in outcomes] == ["review", "routed"]


def test_a_record_that_breaks_a_step_is_dead_lettered_alone() -> None:
    faults = Faults()
    outcomes = route(
        line_of(StubModel(), faults),
        chat_record("one", offset=1),
        chat_record("raise: two", offset=2),
        chat_record("three", offset=3),
    )
    assert [outcome.kind for outcome in outcomes] == ["routed", "dead_letter", "routed"]
    broken = outcomes[1]
    assert broken.rejected is not None
    assert broken.rejected.reason == "internal_error"
    assert broken.decision is None
    assert broken.records[0].value == chat_record("raise: two", offset=2).value
    assert faults.seen == [("messages.chat/3/2", "the language step broke")]


class Together:
    """A language step that fails on several texts, or says too little of them."""

    def __init__(self, *, silent: bool) -> None:
        self._silent = silent

    def languages_of(self, texts: Sequence[str], locales: Sequence[str | None]) -> list[str]:
        if len(texts) > 1 and not self._silent:
            raise RuntimeError("too many")
        return ["en"]


@pytest.mark.parametrize("silent", [True, False])
def test_a_language_step_that_fails_only_on_several_texts_is_told_of_and_does_no_harm(
    silent: bool,
) -> None:
    faults = Faults()
    outcomes = route(
        line_of(StubModel(), faults, languages=Together(silent=silent)),
        record(b"nothing", offset=1),
        chat_record("one", offset=2),
        chat_record("two", offset=3),
    )
    assert [outcome.kind for outcome in outcomes] == ["dead_letter", "routed", "routed"]
    assert [where for where, _ in faults.seen] == ["messages.chat/3/2"]


def test_a_decision_that_cannot_be_written_is_dead_lettered() -> None:
    model = StubModel(answer=lambda _: prediction({"lone \ud800": 0.9}))
    (outcome,) = route(line_of(model), chat_record("one"))
    assert outcome.kind == "dead_letter"
    assert outcome.decision is None
    assert [out.topic for out in outcome.records] == ["router.dead-letter"]


def test_stages_are_timed_by_the_given_clock() -> None:
    (outcome,) = route(line_of(StubModel()), chat_record("one"))
    assert outcome.timings == {
        "queue_wait": 1.0,
        "parse": 1.0,
        "read": 1.0,
        "tokenise": 0.25,
        "infer": 0.5,
        "decide": 1.0,
    }
    logged = orjson.loads(outcome.records[-1].value or b"")
    assert logged["timings"] == outcome.timings


def test_a_batch_of_nothing_is_nothing() -> None:
    assert route(line_of(StubModel())) == []


def test_a_topic_that_is_no_input_is_the_callers_mistake() -> None:
    with pytest.raises(KeyError):
        route(line_of(), record(b"{}", topic="elsewhere"))


def test_the_same_record_gives_the_same_decision_whatever_its_batch() -> None:
    def decided(*records: InRecord) -> dict[str, Any]:
        value = orjson.loads(route(line_of(StubModel()), *records)[0].records[-1].value or b"")
        return {name: part for name, part in value.items() if name != "timings"}

    first = chat_record("where is my card", offset=1)
    assert decided(first) == decided(first, chat_record("b", offset=2), record(b"{", offset=3))


def test_one_line_serves_several_threads() -> None:
    line = line_of(StubModel())
    batch = [chat_record("where is my card", offset=n) for n in range(50)]
    with ThreadPoolExecutor(4) as threads:
        runs = list(threads.map(lambda _: route(line, *batch), range(8)))
    expected = [outcome.source for outcome in runs[0]]
    assert all([outcome.source for outcome in run] == expected for run in runs)
    assert {outcome.kind for run in runs for outcome in run} == {"routed"}


FIELDS = st.dictionaries(
    st.sampled_from(["text", "event_id", "time", "conversation_id", "author", "country"]),
    st.none()
    | st.integers(-9, 9)
    | st.text(st.characters(codec="utf-8"), max_size=10)
    | st.just("2026-03-02T08:15:27Z"),
)
VALUES = st.none() | st.binary(max_size=60) | FIELDS.map(orjson.dumps)
TOPIC = st.sampled_from(["messages.chat", "messages.email"])


@settings(deadline=None)
@given(st.lists(st.tuples(VALUES, TOPIC), max_size=6))
def test_any_records_at_all_end_as_exactly_one_outcome_each(
    values: list[tuple[bytes | None, str]],
) -> None:
    faults = Faults()
    records = [record(v, topic=t, offset=n) for n, (v, t) in enumerate(values)]
    outcomes = route(line_of(StubModel(), faults), *records)
    assert [outcome.source for outcome in outcomes] == [given.source for given in records]
    for given_record, outcome in zip(records, outcomes, strict=True):
        assert (outcome.decision is None) == (outcome.rejected is not None)
        if outcome.kind == "dead_letter":
            assert outcome.records[0].value == given_record.value
    assert faults.seen == []


def test_the_records_of_an_email_are_keyed_by_its_thread() -> None:
    event = {
        "event_id": "m1",
        "time": "2026-03-02T08:15:27Z",
        "thread_id": "thread-ä",
        "subject": "Card",
        "body_text": "Where is my card?",
    }
    given_record = record(orjson.dumps(event), topic="messages.email")
    (outcome,) = route(line_of(StubModel()), given_record)
    assert outcome.channel == "email"
    assert {out.key for out in outcome.records} == {event["thread_id"].encode()}
