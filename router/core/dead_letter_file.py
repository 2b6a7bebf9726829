"""Dead letters in a file, one JSON object a line, for a person to mend and to give back.

What a person edits is ``event``, where the value is a JSON object; else ``value``, its text; else
``value_base64``.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from router.core.dead_letters import DeadLetter, place_of
from router.core.record import Source

_HOLDS = ("event", "value", "value_base64")


@dataclass(frozen=True, slots=True)
class Edited:
    """A line that came back. ``event`` is the object where it was given as one, else None."""

    at: Source
    value: bytes | None
    event: dict[str, Any] | None


def write_line(letter: DeadLetter, value: bytes | None) -> str:
    """``letter`` with the event's ``value``, whole, as a line of the file."""
    about = {
        "dead_letter": str(letter.at),
        "source": str(letter.source) if letter.source else None,
        "reason": letter.reason,
        "field": letter.field,
        "detail": letter.detail,
    }
    return _dumps(about | _held(value))


def read_line(line: bytes) -> Edited | str:
    """A line that was edited, or what is wrong with it."""
    try:
        given = json.loads(line.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        return "it is no JSON object"
    at = given.get("dead_letter")
    place = place_of(at) if isinstance(at, str) else None
    if place is None:
        return "dead_letter must be topic/partition/offset, as it was written"
    if sum(name in given for name in _HOLDS) != 1:
        return "it must have one of event, value, value_base64"
    event = given.get("event")
    if "event" in given and not isinstance(event, dict):
        return "event must be an object"
    try:
        return Edited(place, _value(given), event)
    except (ValueError, TypeError, AttributeError):
        return "value must be a string or null, value_base64 base64, and numbers finite"


def mended_value(edited: Edited, original: bytes | None) -> bytes | None:
    """The value to send: the original's own bytes where the object is still the same."""
    if edited.event is not None and (event := _object(original)) is not None:
        # As text: in Python 1 equals true.
        return original if _dumps(event) == _dumps(edited.event) else edited.value
    return edited.value


def _held(value: bytes | None) -> dict[str, Any]:
    event = _object(value)
    if event is not None:
        return {"event": event}
    try:
        return {"value": None if value is None else value.decode()}
    except UnicodeDecodeError:
        return {"value_base64": base64.b64encode(value or b"").decode()}


def _value(given: dict[str, Any]) -> bytes | None:
    if "event" in given:
        return _dumps(given["event"]).encode()
    if "value_base64" in given:
        try:
            return base64.b64decode(given["value_base64"], validate=True)
        except binascii.Error as error:
            raise ValueError from error
    text = given["value"]
    if text is None:
        return None
    encoded: bytes = text.encode()
    return encoded


def _object(value: bytes | None) -> dict[str, Any] | None:
    """The object in ``value``, where it can be written again without loss."""
    try:
        event = json.loads((value or b"").decode(), parse_constant=_refuse)
        if not isinstance(event, dict):
            return None
        _dumps(event)
    except (ValueError, RecursionError):
        return None
    return event


def _dumps(value: Any) -> str:
    """JSON on one line, readable where it is valid Unicode."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:  # half a pair, which must stay what it is
        return json.dumps(value, allow_nan=False)
    return text


def _refuse(name: str) -> Any:
    raise ValueError(name)
