"""Dead letters as they are read back: what each says of itself, and which ones are wanted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

import orjson

from router.core.parsing import SCHEMAS
from router.core.record import InRecord, Source
from router.core.records import REPLAYED_FROM
from router.core.times import utc_of
from router.core.topics import Topics

_SCHEMA_NAME = re.compile(r"[a-z0-9-]{1,60}/v[0-9]{1,4}")
_PLACE = re.compile(r"([A-Za-z0-9._-]{1,249})/([0-9]{1,19})/([0-9]{1,19})")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """One record of the dead-letter topic. ``source`` is where the event came in, ``size`` the
    bytes that its value had there; a header that is missing or malformed reads as empty."""

    record: InRecord
    reason: str
    field: str
    detail: str
    source: Source | None
    time: datetime | None
    attempts: int
    size: int
    replayed_from: str

    @property
    def at(self) -> Source:
        """Its own coordinates."""
        return self.record.source

    @property
    def whole(self) -> bool:
        """Whether it holds all of the event, and not its beginning alone."""
        return self.size == len(self.record.value or b"")


def read_dead_letter(record: InRecord) -> DeadLetter:
    """The dead letter in ``record``, whoever wrote it."""
    # The router puts its headers last, and takes off those of their names that came in.
    given = {name: (value or b"").decode(errors="replace") for name, value in record.headers}
    held = len(record.value or b"")
    return DeadLetter(
        record=record,
        reason=given.get("router-reason", ""),
        field=given.get("router-field", ""),
        detail=given.get("router-detail", ""),
        source=_source(given),
        time=utc_of(given.get("router-time", "")),
        attempts=max(1, _number(given.get("router-attempts", "")) or 1),
        size=max(held, _number(given.get("router-size", "")) or held),
        replayed_from=given.get(REPLAYED_FROM, ""),
    )


def place_of(text: str) -> Source | None:
    """``topic/partition/offset`` as coordinates; None where it is none."""
    match = _PLACE.fullmatch(text)
    return Source(match[1], int(match[2]), int(match[3])) if match else None


def is_schema_name(text: str) -> bool:
    """Whether ``text`` has the form of one; it need not be known."""
    return _SCHEMA_NAME.fullmatch(text) is not None


def schema_of(letter: DeadLetter, topics: Topics) -> str:
    """The schema that the event says it has, its topic's where it says none; empty where it is no
    object, or says what is no schema's name."""
    try:
        fields = orjson.loads(letter.record.value or b"")
    except orjson.JSONDecodeError:
        return ""
    if not isinstance(fields, dict):
        return ""
    if "schema" not in fields:
        source = letter.source
        inside = source is not None and source.topic in topics.inputs
        return SCHEMAS[topics.channel(source.topic)] if source and inside else ""
    said = fields["schema"]
    return said if isinstance(said, str) and is_schema_name(said) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which dead letters are meant: an empty set, or None, means all. ``since`` is the first time
    that counts and ``until`` the first that does not, on the router's clock."""

    reasons: frozenset[str] = frozenset()
    fields: frozenset[str] = frozenset()
    schemas: frozenset[str] = frozenset()
    topics: frozenset[str] = frozenset()
    since: datetime | None = None
    until: datetime | None = None

    def holds(self, letter: DeadLetter, schema: str) -> bool:
        """Whether ``letter``, whose event has ``schema``, is one of them."""
        topic = letter.source.topic if letter.source else ""
        return (
            (not self.reasons or letter.reason in self.reasons)
            and (not self.fields or letter.field in self.fields)
            and (not self.schemas or schema in self.schemas)
            and (not self.topics or topic in self.topics)
            and self._in_time(letter.time)
        )

    def _in_time(self, time: datetime | None) -> bool:
        if self.since is None and self.until is None:
            return True
        if time is None:
            return False
        return (self.since is None or time >= self.since) and (
            self.until is None or time < self.until
        )


def _source(given: dict[str, str]) -> Source | None:
    names = (given.get(f"router-source-{part}", "") for part in ("topic", "partition", "offset"))
    return place_of("/".join(names))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None
