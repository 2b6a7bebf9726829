"""The messages that are measured with."""

from __future__ import annotations

from itertools import starmap
from typing import get_args

import orjson
import pytest

from router.core.record import InRecord, Source
from router.ops.clock import SystemClock
from router.settings import Settings
from tests.bench.cases import Text
from tests.bench.texts import LENGTHS, Message, event_id_of, messages
from tests.bench.work import null_line


def words(text: str) -> int:
    return len(text.split())


@pytest.mark.parametrize("text", LENGTHS)
def test_every_text_is_as_long_as_its_kind(text: Text) -> None:
    for message in messages(text, words):
        event = orjson.loads(message.value(1))
        whole = event.get("text") or f"{event['subject']} {event['body_text']}"
        assert words(whole) == LENGTHS[text]


def test_the_mix_has_every_kind_and_mostly_chat() -> None:
    made = messages("mix", words)
    sizes = [len(message.value(1)) for message in made]
    emails = sum(message.channel == "email" for message in made)
    assert 0.1 < emails / len(made) < 0.2
    assert sum(size < 250 for size in sizes) > len(made) / 2


def test_a_messages_number_is_read_again_from_the_event() -> None:
    (message, *_) = messages("chat", words)
    assert event_id_of(message.value(1_234)) == 1_234


def test_every_message_is_decided_by_the_model_and_its_decision_bears_its_number() -> None:
    settings = Settings()
    topics = settings.topics()
    faults: list[Exception] = []
    line = null_line(settings, SystemClock(), lambda _, error: faults.append(error))

    def record(number: int, message: Message) -> InRecord:
        topic = topics.email if message.channel == "email" else topics.chat
        return InRecord(Source(topic, 0, number), message.key, message.value(number), (), 0.0)

    some = [message for text in get_args(Text) for message in messages(text, words)[:25]]
    outcomes = line.route(list(starmap(record, enumerate(some))), 0.0)
    for number, outcome in enumerate(outcomes):
        assert outcome.decision is not None
        assert outcome.decision.model is not None
        assert outcome.decision.reason in {"intent", "low_confidence", "out_of_scope"}
        (log,) = (one for one in outcome.records if one.topic == topics.decisions)
        assert event_id_of(log.value or b"") == number
    assert sum(outcome.kind == "routed" for outcome in outcomes) > 50
    assert faults == []
