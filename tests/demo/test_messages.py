"""The invented messages: enough of every kind, and sent as the contracts want them."""

from __future__ import annotations

import base64
import email
import email.policy
from collections import Counter
from email.message import EmailMessage

import orjson
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator

from router.demo.broken import Broken, broken_records
from router.demo.corpus import Message, conversations
from router.demo.schedule import plan
from router.resources import DEFAULT_POLICY, SCHEMAS

LIMIT = 1_000_000
CORPUS = conversations()
BROKEN = broken_records(LIMIT)
MESSAGES = sum(len(conversation) for conversation in CORPUS)


def _kinds() -> Counter[str]:
    return Counter(message.kind for conversation in CORPUS for message in conversation)


def test_every_queue_of_the_default_policy_has_messages() -> None:
    queues = {queue["name"] for queue in _policy_queues()}
    counts = _kinds()
    assert queues, "the default policy names no queue"
    assert {queue for queue in queues if counts[queue] < 5} == set()


def _policy_queues() -> list[dict[str, str]]:
    queues = yaml.safe_load(DEFAULT_POLICY.read_text(encoding="utf-8"))["queues"]
    if isinstance(queues, dict):
        return [{"name": name} for name in queues]
    return list(queues)


def test_the_hard_kinds_are_there() -> None:
    counts = _kinds()
    for kind in ("out-of-scope", "unclear", "foreign", "empty", "not-customer", "auto-reply"):
        assert counts[kind] >= 3, kind


def test_there_are_chats_and_emails_in_many_languages() -> None:
    messages = [message for conversation in CORPUS for message in conversation]
    assert Counter(message.channel for message in messages)["email"] >= 40
    assert len({message.locale.partition("-")[0] for message in messages}) >= 12


def test_a_conversation_goes_on_in_order() -> None:
    turns = [c for c in CORPUS if len(c) > 1]
    assert len(turns) >= 5
    assert {message.author for c in turns for message in c} == {"customer", "bot", "colleague"}


def test_raw_emails_can_be_read_by_any_mail_program() -> None:
    planned = plan(CORPUS, [], events=MESSAGES, seconds=1, seed=1)
    events = [orjson.loads(record.value(0.0) or b"") for record in planned]
    raws = [base64.b64decode(event["raw"], validate=True) for event in events if "raw" in event]
    assert len(raws) >= 3
    for raw in raws:
        parsed = email.message_from_bytes(raw, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        body = parsed.get_body(("plain",))
        assert body is not None
        assert body.get_content().strip()
        assert not parsed.defects


@pytest.mark.parametrize("channel", ["chat", "email"])
def test_every_message_keeps_the_contract(channel: str) -> None:
    schema = orjson.loads((SCHEMAS / f"{channel}-message.v1.json").read_bytes())
    validator = Draft202012Validator(schema, validate_formats=True)
    planned = plan(CORPUS, [], events=MESSAGES, seconds=1, seed=1)
    records = [record for record in planned if record.channel == channel]
    assert records
    for record in records:
        event = orjson.loads(record.value(1_760_000_000.5) or b"")
        assert validator.is_valid(event), (record.words, list(validator.iter_errors(event)))
        assert event["event_id"] == record.event_id


def test_there_are_ten_and_more_kinds_of_broken_records() -> None:
    assert len({broken.reason for broken in BROKEN}) >= 12
    assert len(BROKEN) <= 20


def test_the_large_record_is_one_byte_too_large() -> None:
    (large,) = [broken for broken in BROKEN if broken.reason == "too_large"]
    assert large.value is not None
    assert len(large.value) == LIMIT + 1


@given(
    events=st.integers(1, 700),
    seconds=st.floats(0.001, 1000),
    seed=st.integers(0, 2**32),
)
def test_a_plan_has_the_number_the_time_and_the_order_asked_for(
    events: int, seconds: float, seed: int
) -> None:
    planned = plan(CORPUS, BROKEN, events=events, seconds=seconds, seed=seed)
    times = [record.at for record in planned]
    assert len(planned) == events
    assert times == sorted(times)
    assert times[0] >= 0
    assert times[-1] <= seconds * 1.000001
    assert len({record.event_id for record in planned}) == events
    assert planned == plan(CORPUS, BROKEN, events=events, seconds=seconds, seed=seed)


def test_every_message_comes_once_before_any_comes_again() -> None:
    size = MESSAGES + len(BROKEN)
    planned = plan(CORPUS, BROKEN, events=2 * size, seconds=1, seed=5)
    for half in (planned[:size], planned[size:]):
        assert sum(isinstance(record.content, Broken) for record in half) == len(BROKEN)
    assert len({record.conversation_id for record in planned}) == 2 * (len(CORPUS) + len(BROKEN))


def test_the_messages_of_a_conversation_are_emitted_in_its_order() -> None:
    planned = plan(CORPUS, [], events=MESSAGES, seconds=1, seed=9)
    emitted: dict[str, list[Message]] = {}
    for record in planned:
        assert isinstance(record.content, Message)
        emitted.setdefault(record.conversation_id, []).append(record.content)
    assert Counter(map(str, emitted.values())) == Counter(str(list(c)) for c in CORPUS)


def test_a_burst_comes_at_once() -> None:
    planned = plan(CORPUS, BROKEN, events=200, seconds=10, seed=2)
    assert max(Counter(record.at for record in planned).values()) >= 40
