"""Events made from the input schemas: a field that is added there is made here too."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable, Mapping
from typing import Any

from tests.contract.contracts import Schema, schema
from tests.fuzz.mails import mail
from tests.fuzz.words import anything, markup, text

Event = dict[str, Any]

CHAT, EMAIL = schema("chat-message"), schema("email-message")

_PATTERNS: Mapping[str, tuple[str, ...]] = {
    "^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$": ("en-GB", "de", "sr-Latn-RS", "x-a-b", "pt-BR"),
    "^[A-Z]{2}$": ("GB", "DE", "ZZ"),
}
_TIMES = (
    "2026-03-02T09:15:27.120+01:00",
    "2026-03-02T08:47:03Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59.999999-12:00",
    "2026-06-30T23:59:60Z",
    "2026-03-02t08:47:03.123456789123z",
    "2024-02-29T00:00:00-00:00",
)


def event(dice: random.Random, contract: Schema) -> Event:
    """One that the schema allows, or nearly: required fields always, others sometimes."""
    required = contract["required"]
    made = {
        name: _FIELDS.get(name, _by_schema)(dice, part)
        for name, part in contract["properties"].items()
        if name in required or (name not in _WORDS and dice.random() < 0.2)
    }
    return made | _words(dice) if contract is EMAIL else made


def _words(dice: random.Random) -> Event:
    """An email's subject and body, in one of the forms in which they may come."""
    form = dice.random()
    if form < 0.25:
        return {"raw": base64.b64encode(mail(dice)).decode()}
    made: Event = {"subject": text(dice) if form < 0.9 else None}
    if form < 0.7:
        made["body_text"] = text(dice)
    if form > 0.5:
        made["body_html"] = markup(dice, text(dice))
    return made


def _by_schema(dice: random.Random, part: Schema) -> Any:
    """A value that ``part`` allows."""
    if "const" in part:
        return part["const"]
    if "enum" in part:
        return dice.choice(part["enum"])
    kinds = part.get("type", "string")
    kind = kinds if isinstance(kinds, str) else dice.choice(kinds)
    return _KINDS[kind](dice, part)


def _string(dice: random.Random, part: Schema) -> str:
    if pattern := part.get("pattern"):
        return dice.choice(_PATTERNS[pattern])
    if part.get("format") == "date-time":
        return _time(dice, part)
    if dice.random() < 0.6:
        return str(dice.choice(part.get("examples", ("x",))))
    return anything(dice)[: part.get("maxLength", 999)]


def _object(dice: random.Random, part: Schema) -> Event:
    properties = part.get("properties", {})
    made = {n: _by_schema(dice, p) for n, p in properties.items() if dice.random() < 0.7}
    more = part.get("additionalProperties")
    if isinstance(more, dict):
        names = ("Auto-Submitted", "In-Reply-To", "X-Spam", "precedence", "", anything(dice))
        made |= {dice.choice(names): _by_schema(dice, more) for _ in range(dice.randint(0, 3))}
    return made


def _array(dice: random.Random, part: Schema) -> list[Any]:
    return [_by_schema(dice, part.get("items", {})) for _ in range(dice.randint(0, 3))]


def _integer(dice: random.Random, part: Schema) -> int:
    low, high = part.get("minimum", -(2**63)), part.get("maximum", 2**63)
    return dice.choice((low, high, dice.randint(low, high), max(low, 7)))


def _time(dice: random.Random, _: Schema) -> str:
    return _TIMES[0] if dice.random() < 0.7 else dice.choice(_TIMES)


def _author(dice: random.Random, _: Schema) -> str | None:
    return dice.choice(("customer", "customer", "customer", None, "colleague", "bot"))


def _text(dice: random.Random, _: Schema) -> str:
    return text(dice)


_KINDS: Mapping[str, Callable[[random.Random, Schema], Any]] = {
    "string": _string,
    "object": _object,
    "array": _array,
    "integer": _integer,
    "number": _integer,
    "boolean": lambda dice, _: dice.random() < 0.5,
    "null": lambda _, __: None,
}
_FIELDS: Mapping[str, Callable[[random.Random, Schema], Any]] = {
    "text": _text,
    "author": _author,
    "time": _time,
}
_WORDS = frozenset({"subject", "body_text", "body_html", "raw"})
