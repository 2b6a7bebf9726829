"""Why a value is no event: the reason, the field and what was expected, never a value.

Only refused values come here, so it may take its time (about a second for a megabyte of
brackets and commas), but it never raises.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jsonschema_rs import ValidationError

from router.core.event import Rejected
from router.core.json_walk import WHOLE, JsonWalk, dotted
from router.core.topics import Channel


def why_not_json(value: bytes, error_at: int) -> Rejected:
    """Why a strict parser refused ``value`` at character ``error_at``."""
    walk = JsonWalk(value)
    try:
        text = value.decode()
    except UnicodeDecodeError as error:
        walk.first_problem(error.start)
        return Rejected("not_utf8", walk.field, f"Byte {error.start} is not UTF-8.")
    if not text.strip():
        return Rejected("not_json", WHOLE, "The value is empty.")
    if text.startswith("\ufeff"):
        detail = "The value starts with a byte order mark; send UTF-8 without one."
        return Rejected("not_json", WHOLE, detail)
    at = len(text[:error_at].encode())
    detail = f"The value stops being JSON at byte {at}."
    return walk.first_problem(at) or Rejected("not_json", WHOLE, detail)


def hidden_problem(value: bytes) -> Rejected | None:
    """What a strict parser lets pass all the same: nesting or an integer beyond others' reach."""
    return JsonWalk(value).first_problem(len(value))


def why_not_valid(error: ValidationError, channel: Channel) -> Rejected:
    """The schema's complaint in our words: its own message quotes values."""
    path: Sequence[str | int] = error.instance_path
    kind: Any = error.kind
    if kind.name == "required":
        field = dotted([*path, kind.property])
        hint = _BODY if channel == "email" and field in ("subject", "body_text") else ""
        return Rejected("missing_field", field, f"{field} is required. {hint}".rstrip())
    if kind.name == "type":
        return Rejected("wrong_type", dotted(path), f"Expected {' or '.join(kind.types)}.")
    return Rejected("invalid_value", dotted(path), f"Expected {_expected(kind)}.")


_BODY = "An email needs a subject with body_text or body_html, or the whole message in raw."
_FORMATS = {"date-time": "an RFC 3339 time with its offset, such as 2026-03-02T09:15:27+01:00"}


_EXPECTED = {
    "minLength": "at least {0.limit} character(s)",
    "maxLength": "at most {0.limit} characters",
    "minimum": "at least {0.limit}",
    "maximum": "at most {0.limit}",
    "pattern": "text that matches {0.pattern}",
}


def _expected(kind: Any) -> str:
    if kind.name == "enum":
        return " or ".join("null" if option is None else str(option) for option in kind.options)
    if kind.name == "format":
        return _FORMATS.get(kind.format, str(kind.format))
    return _EXPECTED.get(kind.name, "what the schema says under {0.name}").format(kind)
