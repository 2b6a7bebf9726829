"""A dead letter that goes back to its topic: whether it may, as what, and the mark it leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

import orjson

from router.core.dead_letters import DeadLetter, place_of
from router.core.event import Rejected
from router.core.line import Outcome
from router.core.record import Headers, InRecord, OutRecord, Source
from router.core.records import REPLAYED_AT, REPLAYED_FROM, rfc3339
from router.core.topics import Topics

State = Literal["accepted", "refused", "replayed", "gone", "foreign", "too_old"]
"""What would become of a dead letter that is sent again now.

- ``accepted``: the router reads it now.
- ``refused``: it would be a dead letter again.
- ``replayed``: it was sent again already.
- ``gone``: it holds the event's beginning, and the event is no more where it came in.
- ``foreign``: it names no input topic to go back to.
- ``too_old``: marks of its time may have expired, so nobody knows whether it was sent again.
"""

MARK_SCHEMA = "replay-mark/v1"
_OWN = "router-"


@dataclass(frozen=True, slots=True)
class Mark:
    """A dead letter was sent again. ``source`` is where its event came in, None where the mark does
    not say."""

    at: Source
    source: Source | None
    replayed_at: str

    def of(self, letter: DeadLetter) -> bool:
        """Whether it is ``letter``'s: not where a topic was made anew and counts from 0 again."""
        return self.at == letter.at and self.source in (None, letter.source)


class Judge(Protocol):
    """``core.line.Line``; a model is not needed to say whether an event can be read."""

    def route(self, records: Sequence[InRecord], fetched_at: float) -> list[Outcome]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a dead letter stands. ``event`` is what would be sent (``accepted`` and ``refused``):
    its key, its headers and its value, at the coordinates where it came in. ``mended``: its value
    is not the one that came in."""

    letter: DeadLetter
    schema: str
    state: State
    event: InRecord | None = None
    mended: bool = False
    refusal: Rejected | None = None
    replayed_at: str = ""


def original(letter: DeadLetter, fetched: InRecord | None) -> InRecord | None:
    """The event as it came in, its headers without the router's: of the dead letter alone where
    that is whole, else ``fetched`` from where the event came in, if it is the same."""
    record = letter.record
    if letter.whole:
        return _event(letter, record.key, record.value, record.headers)
    begins = record.value or b""
    value = fetched.value if fetched else None
    if fetched is None or value is None or len(value) != letter.size:
        return None
    return _event(letter, fetched.key, value, fetched.headers) if value.startswith(begins) else None


def judge(event: InRecord, line: Judge) -> Rejected | None:
    """Why the router would refuse ``event`` now; None where it would not."""
    return line.route([event], 0.0)[0].rejected


def replay_records(standing: Standing, at: datetime, topics: Topics) -> tuple[OutRecord, OutRecord]:
    """What goes back to the event's topic, and the mark that says so.

    Raises:
        ValueError: it has no event, or no topic to go back to.
    """
    event, letter = standing.event, standing.letter
    if event is None or letter.source is None:
        raise ValueError("Only an event with a topic goes back to it.")
    attempts = letter.attempts + 1
    trail: Headers = (
        (REPLAYED_AT, rfc3339(at)),
        (REPLAYED_FROM, str(letter.at).encode()),
        ("router-attempts", b"%d" % attempts),
        ("router-source-topic", letter.source.topic.encode()),
        ("router-source-partition", b"%d" % letter.source.partition),
        ("router-source-offset", b"%d" % letter.source.offset),
    )
    again = OutRecord(letter.source.topic, event.key, event.value, (*event.headers, *trail))
    mark = {
        "schema": MARK_SCHEMA,
        "dead_letter": letter.at,
        "source": letter.source,
        "topic": letter.source.topic,
        "replayed_at": rfc3339(at).decode(),
        "attempts": attempts,
        "mended": standing.mended,
    }
    headers: Headers = (("content-type", b"application/json"),)
    return again, OutRecord(topics.replays, str(letter.at).encode(), orjson.dumps(mark), headers)


def read_mark(record: InRecord) -> Mark | None:
    """The mark in ``record``; None where it is none."""
    place = place_of((record.key or b"").decode(errors="replace"))
    if place is None:
        return None
    # Its key alone says that it was sent: sending twice would be worse than a gap in the rest.
    try:
        said = orjson.loads(record.value or b"")
        source = said["source"]
        came = Source(str(source["topic"]), int(source["partition"]), int(source["offset"]))
        return Mark(place, came, str(said["replayed_at"]))
    except (ValueError, KeyError, TypeError):
        return Mark(place, None, "")


def _event(
    letter: DeadLetter, key: bytes | None, value: bytes | None, headers: Headers
) -> InRecord:
    own = tuple(pair for pair in headers if not pair[0].startswith(_OWN))
    return InRecord(letter.source or letter.at, key, value, own, letter.record.broker_time)
