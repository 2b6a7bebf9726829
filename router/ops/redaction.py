"""What may stand in a log line: values whose key and type can hold no message and no secret."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from pathlib import PurePath
from typing import Any
from uuid import UUID

from structlog.typing import EventDict, WrappedLogger

from router.ops.exceptions import describe

WITHHELD = "[withheld]"

_SECRET_WORDS = frozenset({"password", "secret", "token", "credential", "authorization"})
_TEXT_KEYS = frozenset(
    {"text", "subject", "body", "body_text", "body_html", "raw", "value", "message", "payload"}
    | {"from", "to", "headers", "filename", "customer_text"}
)
_LONGEST = 300  # characters of one value, or of a foreign log line
_MOST = 50  # items of a collection
# These loggers' lines are put together from messages' values before we see them.
_UNTRUSTED = ("faust.topics", "faust.channels", "faust.serializers", "faust.livecheck")


def without_secrets(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """A processor: passwords and tokens, by the words in a key."""
    for key in event:
        if not _SECRET_WORDS.isdisjoint(key.lower().split("_")):
            event[key] = WITHHELD
    return event


def without_text(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """A processor: what customers wrote, by key, and objects that may hold it, by type."""
    for key, value in event.items():
        if key in _TEXT_KEYS:
            event[key] = WITHHELD
        elif key not in {"event", "exc_info", "_record"}:
            event[key] = safe(value)
    return event


def safe(value: Any) -> Any:
    """``value`` where its type can hold no message, else a word for it."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str | PurePath | UUID):
        return _safe_text(str(value))
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[{len(value)} bytes]"
    return _safe_object(value)


def foreign_words(record: logging.LogRecord, args: Any, *, trusted: bool = False) -> str:
    """A standard library record's first line, put together from safe values alone.

    ``trusted`` lets every value through.
    """
    if not trusted and record.name.startswith(_UNTRUSTED):
        return f"{WITHHELD} {record.pathname}:{record.lineno}"
    if not trusted and isinstance(record.msg, BaseException):
        return describe(record.msg)
    template = str(record.msg)
    try:
        words = template % (args if trusted else _safe_args(args)) if args else template
    except (TypeError, ValueError, KeyError):
        words = template
    if trusted:
        return words
    words = words.partition("\n")[0]
    if record.name == "asyncio":  # the rest represents a task or a call with its arguments
        words = words.partition("(")[0].partition("<")[0].rstrip()
    return words[:_LONGEST]


def _safe_args(args: Any) -> Any:
    if isinstance(args, Mapping):
        return {key: safe(value) for key, value in args.items()}
    return tuple(
        value.partition("\n")[0][:_LONGEST] if isinstance(value, str) else safe(value)
        for value in args
    )


def _safe_text(text: str) -> str:
    if len(text) > _LONGEST:
        return f"[{len(text)} characters]"
    # An id may hold line ends or terminal codes, which would forge lines.
    return text if text.isprintable() else repr(text)[1:-1]


def _safe_object(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, BaseException):
        return describe(value)
    if isinstance(value, Mapping):
        return {str(safe(key)): safe(item) for key, item in list(value.items())[:_MOST]}
    if isinstance(value, list | tuple | set | frozenset):
        return [safe(item) for item in list(value)[:_MOST]]
    return f"[{type(value).__name__}]"
