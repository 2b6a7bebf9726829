"""Ten kinds of record that are no event, and two that are more than one kind's worth."""

from __future__ import annotations

from router.settings import Settings
from tests.integration.traffic import Bad

LARGEST = Settings().max_event_bytes
_START = b'{"event_id":"bad","time":"2026-01-05T08:00:00Z","conversation_id":"c","text":'

BAD = (
    Bad("not UTF-8", _START + b'"caf\xe9"}', "not_utf8", "text"),
    Bad("not JSON", _START + b'"no end', "not_json", "$"),
    Bad("wrong type", _START + b"17}", "wrong_type", "text"),
    Bad("missing field", _START.replace(b'"time"', b'"tide"') + b'"hi"}', "missing_field", "time"),
    Bad(
        "unknown schema version",
        _START + b'"hi","schema":"chat-message/v2"}',
        "unknown_schema",
        "schema",
    ),
    Bad("too large", _START + b'"%b"}' % (b"x" * LARGEST), "too_large", "$"),
    Bad("null value", None, "null_value", "$"),
    Bad("deep nesting", _START + b"[" * 5_000 + b"]" * 5_000 + b"}", "too_deep", "*"),
    Bad("lone surrogate", _START + b'"half \\ud83d of it"}', "lone_surrogate", "text"),
    Bad("huge number", _START + b'"hi","amount":1e999}', "number_out_of_range", "amount"),
    Bad("huge integer", _START + b'"hi","n":%d}' % 10**40, "number_out_of_range", "n"),
    Bad("no object", b"[]", "not_an_object", "$", key=None),
    Bad(
        "large key and value",
        b"x" * (LARGEST - 100),
        "not_json",
        "$",
        key=b"k" * (LARGEST - 100),
    ),
)
"""``field`` ``*``: any; where nesting goes too deep has many names."""
