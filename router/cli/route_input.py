"""What `router route` was given, as records like those that the worker consumes.

A whole event goes to the line byte for byte, broken or not. An object without any of an event's
own marks (``{"text": …}``) gets them.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from router.core.clock import Clock
from router.core.record import InRecord, Source
from router.core.topics import Channel, Topics

_MARKS = ("schema", "event_id", "time", "conversation_id", "thread_id")
_EMAIL_FIELDS = ("raw", "subject", "body_text", "body_html")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}")

NO_ID: Final = object()


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: the record to decide, its line's number from 1, and the ids it came with.

    ``id`` is whatever JSON the input's ``id`` held, `NO_ID` where there was none.
    """

    record: InRecord
    line: int
    id: object
    event_id: str | None


class InputReader:
    """Makes records of texts, JSON and emails. ``channel`` None: it is read from each event."""

    def __init__(self, topics: Topics, clock: Clock, channel: Channel | None = None) -> None:
        self._topics = topics
        self._clock = clock
        self._channel = channel

    def text(self, text: str, line: int = 1) -> Asked:
        """A message's text."""
        clean = text.encode(errors="replace").decode()  # an argument may not be UTF-8
        value = orjson.dumps({"text": clean} | self._marks("conversation_id", line))
        return self._asked("chat", value, line, {})

    def email(self, raw: bytes, line: int = 1) -> Asked:
        """A whole RFC 5322 message."""
        fields = {"raw": base64.b64encode(raw).decode()} | self._marks("thread_id", line)
        return self._asked("email", orjson.dumps(fields), line, {})

    def json(self, value: bytes, line: int = 1) -> Asked:
        """A JSON object in bytes: an event, or the part of one that matters."""
        fields, complete = _read(value)
        channel = self._channel or _channel(fields)
        if complete and not any(mark in fields for mark in _MARKS):
            value = self._completed(value, fields, channel, line)
        return self._asked(channel, value, line, fields)

    def lines(self, stream: Iterable[bytes], *, json_only: bool) -> Iterator[Asked]:
        """One question for each line that is not blank. Where not ``json_only``, lines are
        messages' texts until the first that starts with ``{``."""
        for number, given in enumerate(stream, start=1):
            line = given.strip(b" \t\r\n")
            if not line:
                continue
            json_only = json_only or line.startswith(b"{")
            if json_only:
                yield self.json(line, number)
            else:
                yield self.text(line.decode(errors="replace"), number)

    def _completed(
        self, value: bytes, fields: Mapping[str, Any], channel: Channel, line: int
    ) -> bytes:
        marks = self._marks("thread_id" if channel == "email" else "conversation_id", line)
        language = fields.get("language")
        if "locale" not in fields and isinstance(language, str) and _LANGUAGE.fullmatch(language):
            marks["locale"] = language
        # Spliced: written anew, the object would lose what makes it odd (huge numbers, depth).
        return value.rstrip()[:-1] + b"," + orjson.dumps(marks)[1:]

    def _marks(self, conversation: str, line: int) -> dict[str, str]:
        time = datetime.fromtimestamp(self._clock.now(), UTC).isoformat()
        return {"event_id": f"line-{line}", "time": time, conversation: f"line-{line}"}

    def _asked(self, channel: Channel, value: bytes, line: int, fields: Mapping[str, Any]) -> Asked:
        topic = self._topics.chat if channel == "chat" else self._topics.email
        event_id = fields.get("event_id")
        return Asked(
            InRecord(Source(topic, 0, line - 1), None, value, (), self._clock.now()),
            line,
            _printable(fields.get("id", NO_ID)),
            event_id if isinstance(_printable(event_id), str) else None,
        )


def _read(value: bytes) -> tuple[Mapping[str, Any], bool]:
    """The object in ``value``, and whether it is one that the line can read and has any field.

    What the line refuses (half a surrogate pair, a number that is no number) may still show its
    ids and its channel.
    """
    try:
        fields = orjson.loads(value)
        complete = True
    except orjson.JSONDecodeError:
        fields, complete = _read_leniently(value), False
    if not isinstance(fields, dict):
        return {}, False
    return fields, complete and bool(fields)


def _read_leniently(value: bytes) -> object:
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def _printable(given: object) -> object:
    """``given`` where it can be written as JSON again, else as if it was not there."""
    try:
        orjson.dumps(given)
    except TypeError:
        return NO_ID
    return given


def _channel(fields: Mapping[str, Any]) -> Channel:
    schema = fields.get("schema")
    if isinstance(schema, str) and schema.startswith(("chat-message/", "email-message/")):
        return "chat" if schema.startswith("chat") else "email"
    if "thread_id" in fields:
        return "email"
    if "conversation_id" in fields or "text" in fields:
        return "chat"
    return "email" if any(name in fields for name in _EMAIL_FIELDS) else "chat"
