"""Records that are no event: one of each kind that upstream systems do send."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from router.core.topics import Channel

_TIME = "2026-02-03T09:15:00Z"


@dataclass(frozen=True, slots=True)
class Broken:
    """``reason`` is what the dead letter's header is to say."""

    channel: Channel
    reason: str
    value: bytes | None


def broken_records(max_event_bytes: int) -> Sequence[Broken]:
    """One record of each kind; one is a byte larger than ``max_event_bytes``."""
    return (
        Broken("chat", "not_utf8", _chat().replace(b"Hello", b"Hell\xf3")),
        Broken("chat", "not_json", b'{"event_id": "cut-off", "time": "2026-02'),
        Broken("chat", "lone_surrogate", _chat().replace(b"Hello", b"Hello \\ud83d")),
        Broken("chat", "too_deep", b"[" * 5_000 + b"]" * 5_000),
        Broken("chat", "number_out_of_range", _chat().replace(b'"Hello"', b'"Hello", "n": 1e999')),
        Broken("chat", "not_an_object", json.dumps([1, 2, 3]).encode()),
        Broken("chat", "missing_field", _chat(time=None)),
        Broken("chat", "wrong_type", _chat(text=["Hello"])),
        Broken("chat", "invalid_value", _chat(time="yesterday")),
        Broken("chat", "unknown_schema", _chat(schema="chat-message/v9")),
        Broken("chat", "null_value", None),
        Broken("chat", "too_large", _chat_of(max_event_bytes + 1)),
        Broken("email", "missing_field", _email(thread_id=None, subject="Hello", body_text="Hi")),
        Broken("email", "bad_mime", _email(raw="this is no base64 at all!")),
    )


def _chat(**changes: object) -> bytes:
    event = {
        "schema": "chat-message/v1",
        "event_id": "broken-chat",
        "time": _TIME,
        "conversation_id": "broken",
        "text": "Hello",
    }
    return _without_none(event | changes)


def _email(**changes: object) -> bytes:
    event = {
        "schema": "email-message/v1",
        "event_id": "broken-email",
        "time": _TIME,
        "thread_id": "broken",
    }
    return _without_none(event | changes)


def _chat_of(size: int) -> bytes:
    return _chat(text="x" * (size - len(_chat(text=""))))


def _without_none(event: dict[str, object]) -> bytes:
    return json.dumps({name: value for name, value in event.items() if value is not None}).encode()
