"""Records by number: the same seed and number give the same record, on any machine."""

from __future__ import annotations

import json
import random
from typing import Any

import orjson

from router.core.record import Headers, InRecord, Source
from router.core.topics import Topics
from tests.fuzz.events import CHAT, EMAIL, Event, event
from tests.fuzz.words import ODD, anything

TOPICS = Topics()

_WRONG: tuple[Any, ...] = (
    None, "", 0, -1, 2**63, 1.5, True, [], {}, [None], {"a": {"b": []}}, "\x00", "x" * 600,
    "2026-02-30T00:00:00Z", "chat-message/v2", ["a", 1], {"": ""}, "e\u0301" * 300, -0.0, 1e308,
)  # fmt: skip
_TOKENS = (
    b"1e999", b"-1e400", b"NaN", b"Infinity", b"-0", b"1" * 30, b"0.1e-999",
    b"18446744073709551616", b'"\\ud800"', b'"\\udc00\\ud800"', b'"\\u0000"', b"01", b"1.", b"+1",
    b"'a'", b"tru", b"[" * 200, b"[" * 100 + b"]" * 100, b'{"a":' * 140 + b"1" + b"}" * 140,
    b'"' + b"\\u00e9" * 50 + b'"',
)  # fmt: skip
_BYTES = (
    b"", b" ", b"null", b"{}", b"[]", b'""', b"0", b"\xef\xbb\xbf{}", b"\xff\xfe{\x00}\x00",
    b"\x00", b"[" * 3000, b'{"a":' * 1500, b'{"a":1,"a":2}', b"\x1f\x8b\x08", b"<xml/>",
    b"text=hello",
)  # fmt: skip
_HEADERS: tuple[tuple[str, bytes | None], ...] = (
    ("traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ("traceparent", b"not one"),
    ("tracestate", b"a=b"),
    ("content-type", b"application/json; charset=utf-8"),
    ("ce_specversion", b"1.0"),
    ("ce_id", b"\xff\xfe"),
    ("x-null", None),
    ("", b""),
    ("router-attempts", b"999999999"),
    ("router-attempts", b"many"),
    ("router-reason", b"missing_field"),
    ("x-long", b"v" * 20_000),
    ("näme", "wért".encode()),
)
_REFUSED: tuple[tuple[str, bytes], ...] = (
    ("content-type", b"application/cloudevents+json"),
    ("content-type", b"text/plain"),
    ("ce_specversion", b"0.3"),
)


def record(seed: int, number: int) -> InRecord:
    """The record of this number: two thirds are events as they should be."""
    dice = random.Random(seed * 1_000_003 + number)  # noqa: S311 - reproducible, not secret
    chat = dice.random() < 0.6
    return InRecord(
        source=Source(TOPICS.chat if chat else TOPICS.email, dice.randrange(12), number),
        key=dice.choice((None, b"", b"conv-1", b"\xff\x00", b"k" * 300)),
        value=_value(dice, event(dice, CHAT if chat else EMAIL)),
        headers=_headers(dice),
        broker_time=dice.choice((0.0, -1.0, 1_772_442_927.0, 4e9)),
    )


def _value(dice: random.Random, made: Event) -> bytes | None:
    roll = dice.random()
    if roll < 0.66:
        return _as_json(dice, made)
    if roll < 0.86:
        return _with_token(dice, made) if dice.random() < 0.3 else _as_json(dice, _bent(dice, made))
    if roll < 0.95:
        return _damaged(dice, _as_json(dice, made))
    if roll < 0.97:
        return dice.randbytes(dice.choice((1, 8, 64, 512)))
    if roll < 0.9995:
        return dice.choice((None, *_BYTES))
    return _large(dice, made)


def _as_json(dice: random.Random, made: Event) -> bytes:
    """Upstreams write it in several ways."""
    form = dice.random()
    if form < 0.6:
        return orjson.dumps(made)
    if form < 0.8:
        return json.dumps(made).encode()
    if form < 0.9:
        return json.dumps(made, ensure_ascii=False, indent=1).encode()
    items = list(made.items())
    dice.shuffle(items)
    return orjson.dumps(dict(items))


def _bent(dice: random.Random, made: Event) -> Event:
    """One to three fields changed: gone, of another type, odd, unknown, or nested."""
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        name = dice.choice(tuple(made)) if made else "text"
        match dice.randrange(6):
            case 0:
                made.pop(name, None)
            case 1:
                made[name] = dice.choice(_WRONG)
            case 2:
                made[name] = dice.choice(ODD)
            case 3:
                made[anything(dice)] = made.get(name)
            case 4:
                made[dice.choice(("x-own", "text", "raw", "attachments", "headers"))] = _nested(
                    dice
                )
            case _:
                made[name] = anything(dice)
    return made


def _nested(dice: random.Random) -> Any:
    value: Any = dice.choice(_WRONG)
    for _ in range(dice.choice((1, 3, 60, 126, 127, 128, 129, 200))):
        value = [value] if dice.random() < 0.5 else {"k": value}
    return value


def _with_token(dice: random.Random, made: Event) -> bytes:
    """A field holds what no JSON library would write, but somebody's may."""
    mark = "b7e1f3"
    made[dice.choice((*made, "x-own"))] = mark
    return orjson.dumps(made).replace(b'"' + mark.encode() + b'"', dice.choice(_TOKENS))


def _damaged(dice: random.Random, value: bytes) -> bytes:
    at = dice.randrange(len(value) + 1)
    match dice.randrange(7):
        case 0:
            damaged = value[:at]
        case 1:
            damaged = value[:at] + dice.randbytes(dice.randint(1, 4)) + value[at + 1 :]
        case 2:
            damaged = value[:at] + dice.choice(_TOKENS) + value[at:]
        case 3:
            damaged = value + value
        case 4:
            damaged = b"\xef\xbb\xbf" + value
        case 5:
            damaged = value.decode().encode("utf-16" if at % 2 else "latin-1", "replace")
        case _:
            damaged = b" \r\n\t" + value + b"\n" * (at % 9)
    return damaged


def _large(dice: random.Random, made: Event) -> bytes:
    """Around the largest size that is read, full of what is slow to read."""
    piece = dice.choice((*ODD, "<div>", "> ", "On a wrote:\n", "=?utf-8?Q?a?= ", "(" * 9, "&lt;"))
    words = piece * (dice.choice((100_000, 800_000, 1_100_000)) // max(1, len(piece.encode())))
    made[dice.choice(("text", "subject", "body_text", "body_html", "x-own"))] = words
    return orjson.dumps(made)


def _headers(dice: random.Random) -> Headers:
    roll = dice.random()
    if roll < 0.7:
        return ()
    if roll < 0.98:
        return tuple(dice.choices(_HEADERS, k=dice.randint(1, 4)))
    return (dice.choice(_REFUSED), *dice.choices(_HEADERS, k=1))
