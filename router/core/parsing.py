"""Bytes to event: any bytes at all give an event or a reason, never an exception."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import jsonschema_rs
import orjson

from router.core.diagnosis import hidden_problem, why_not_json, why_not_valid
from router.core.event import ChatMessage, EmailMessage, Event, Rejected
from router.core.json_walk import MAX_DEPTH, WHOLE
from router.core.mime import read_mime
from router.core.record import Headers, InRecord
from router.core.times import utc_of
from router.core.topics import Channel

SCHEMAS: Mapping[Channel, str] = {"chat": "chat-message/v1", "email": "email-message/v1"}
"""What ``schema`` may say on each channel, and means where it is absent."""

_LONG_INTEGER = re.compile(rb"[:,\[]\s*+-?[0-9]{19}")
_HEADERS = {
    "content-type": (
        re.compile(rb"application/(?:json|(?!cloudevents)[a-z0-9.-]{1,100}\+json)\s*(?:;.*)?"),
        "The header content-type must be application/json; CloudEvents in binary mode.",
    ),
    "ce_specversion": (re.compile(rb"1\..*"), "The header ce_specversion must be 1.0."),
}
"""Headers that say how to read the value: what they must match, in small letters, and why."""


class EventValidators:
    """The input schemas, compiled; one for each channel.

    ``schemas`` are JSON Schemas as parsed from ``schemas/``.
    """

    def __init__(self, schemas: Mapping[Channel, Mapping[str, Any]]) -> None:
        self._validators = {
            channel: jsonschema_rs.Draft202012Validator(dict(schema), validate_formats=True)
            for channel, schema in schemas.items()
        }

    def problem(self, channel: Channel, fields: Mapping[str, Any]) -> Rejected | None:
        """The first thing that ``channel``'s schema finds wrong with ``fields``."""
        validator = self._validators[channel]
        if validator.is_valid(fields):
            return None
        errors = validator.iter_errors(fields)
        return next((why_not_valid(error, channel) for error in errors), None)


def parse_event(
    channel: Channel, record: InRecord, validators: EventValidators, max_event_bytes: int
) -> Event | Rejected:
    """The event in ``record``, or why it holds none. Of a key given twice the last counts."""
    value = record.value
    if value is None:
        return Rejected("null_value", WHOLE, "The record has no value; an event is a JSON object.")
    if len(value) > max_event_bytes:
        detail = f"The value has {len(value)} bytes; at most {max_event_bytes} are read."
        return Rejected("too_large", WHOLE, detail)
    fields = _refused_headers(record.headers) or _json_object(value)
    if isinstance(fields, Rejected):
        return fields
    refused = _other_schema(channel, fields) or validators.problem(channel, fields)
    return refused or _event(channel, fields, value)


def _json_object(value: bytes) -> dict[str, Any] | Rejected:
    try:
        fields = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        return why_not_json(value, error.pos)
    brackets = value.count(b"{") + value.count(b"[")
    if (brackets > MAX_DEPTH or _LONG_INTEGER.search(value)) and (found := hidden_problem(value)):
        return found
    if not isinstance(fields, dict):
        return Rejected("not_an_object", WHOLE, "The value is JSON, but no object.")
    return fields


def _refused_headers(headers: Headers) -> Rejected | None:
    """CloudEvents binary mode or plain JSON is read; a header that says otherwise is believed."""
    for name, content in headers:
        known = _HEADERS.get(name.lower())
        if known and content and not known[0].fullmatch(content.strip().lower()):
            return Rejected("unsupported_content_type", WHOLE, known[1])
    return None


def _other_schema(channel: Channel, fields: Mapping[str, Any]) -> Rejected | None:
    """Asked before all else, so that a later version is called that and not malformed."""
    if "schema" not in fields or fields["schema"] == SCHEMAS[channel]:
        return None
    if not isinstance(fields["schema"], str):
        return Rejected("wrong_type", "schema", "Expected string.")
    detail = f"This topic carries {SCHEMAS[channel]}; the event says another schema."
    return Rejected("unknown_schema", "schema", detail)


def _event(channel: Channel, fields: dict[str, Any], raw: bytes) -> Event | Rejected:
    time = utc_of(fields["time"])
    if time is None:
        detail = "Expected a time from year 1 to 9999, in UTC too."
        return Rejected("invalid_value", "time", detail)
    if channel == "chat":
        return ChatMessage(text=fields["text"], **_shared(fields, "conversation_id", time, raw))
    return _email(fields, time, raw)


def _shared(fields: dict[str, Any], conversation: str, time: datetime, raw: bytes) -> Any:
    get = fields.get
    return {
        "event_id": fields["event_id"],
        "time": time,
        "conversation_id": fields[conversation],
        "author": get("author") or "customer",
        "customer_id": get("customer_id"),
        "locale": get("locale"),
        "country": get("country"),
        "product": get("product"),
        "segment": get("segment"),
        "fields": fields,
        "raw": raw,
    }


def _email(fields: dict[str, Any], time: datetime, raw: bytes) -> EmailMessage | Rejected:
    headers = _headers(fields)
    subject = fields.get("subject") or ""
    body_text, body_html = fields.get("body_text") or "", fields.get("body_html") or ""
    if isinstance(encoded := fields.get("raw"), str):
        mail = read_mime(encoded)
        if isinstance(mail, Rejected):
            return mail
        headers = {**headers, **mail.headers}
        subject, body_text, body_html = mail.subject, mail.body_text, mail.body_html
    return EmailMessage(
        subject=subject,
        body_text=body_text,
        body_html=body_html,
        headers=headers,
        **_shared(fields, "thread_id", time, raw),
    )


def _headers(fields: Mapping[str, Any]) -> dict[str, str]:
    """Lower-case names; the values of a header that came several times stand side by side."""
    given = {"from": fields.get("from"), "to": fields.get("to"), **(fields.get("headers") or {})}
    return {
        name.lower(): ", ".join(value) if isinstance(value, list) else value
        for name, value in given.items()
        if value is not None
    }
