"""A customer's message as a value, and the refusal that stands in for one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from router.core.topics import Channel
from router.core.values import value

Author = Literal["customer", "colleague", "bot"]

RejectReason = Literal[
    "too_large",
    "null_value",
    "not_utf8",
    "not_json",
    "lone_surrogate",
    "too_deep",
    "number_out_of_range",
    "not_an_object",
    "missing_field",
    "wrong_type",
    "invalid_value",
    "unknown_schema",
    "unsupported_content_type",
    "bad_mime",
    "internal_error",
]


@value(frozen=True, slots=True, kw_only=True)
class Message:
    """What chat and email events share. ``time`` is in UTC.

    ``fields`` is the event's JSON object with every unknown field kept, for the policy's field
    conditions; ``raw`` is its bytes as received, for passing on.
    """

    event_id: str
    time: datetime
    conversation_id: str
    author: Author
    customer_id: str | None
    locale: str | None
    country: str | None
    product: str | None
    segment: str | None
    fields: Mapping[str, Any]
    raw: bytes


@value(frozen=True, slots=True, kw_only=True)
class ChatMessage(Message):
    text: str


@value(frozen=True, slots=True, kw_only=True)
class EmailMessage(Message):
    """An email, parsed upstream or here from its RFC 5322 bytes.

    ``headers`` has lower-case names; ``conversation_id`` is the thread id.
    """

    subject: str
    body_text: str
    body_html: str
    headers: Mapping[str, str]


Event = ChatMessage | EmailMessage


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why a record is no event. ``field`` is a dotted path (``attachments.0.size``) or ``$`` for
    the value as a whole; ``detail`` says what was expected and never quotes a value."""

    reason: RejectReason
    field: str
    detail: str


def channel_of(event: Event) -> Channel:
    return "chat" if isinstance(event, ChatMessage) else "email"
