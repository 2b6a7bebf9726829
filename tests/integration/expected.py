"""What the line itself says of the records that a worker was given, and whether that stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import orjson
from aiokafka import ConsumerRecord

from router.assembly import build_line
from router.core.line import Outcome
from router.core.record import InRecord, Source
from router.ops.clock import SystemClock
from tests.integration.traffic import Traffic, source_of

_BATCH = 256
_OF_THE_RUN = ("decided_at", "timings")
"""Fields of a decision that are not the record's."""


def outcomes(traffic: Traffic) -> dict[Source, Outcome]:
    """Each emitted record's outcome, by the line that ``router route`` and the worker open."""

    def fail(where: str, error: Exception) -> None:
        raise AssertionError(f"a fault at {where}") from error

    line = build_line(traffic.settings, SystemClock(), fail)
    return {one.source: one for batch in _batches(traffic.emitted) for one in line.route(batch, 0)}


def assert_stands(found: Sequence[ConsumerRecord], wanted: dict[Source, Outcome]) -> None:
    """Each input's outcome stands on exactly the topics that the line names, with the line's
    decision, at least once; and nothing else stands there."""
    where: dict[Source, set[str]] = {}
    for record in found:
        where.setdefault(source_of(record), set()).add(record.topic)
    assert where.keys() == wanted.keys(), _missing(where.keys() ^ wanted.keys())
    for source, outcome in wanted.items():
        topics = {record.topic for record in outcome.records}
        assert where[source] == topics, f"{source} stands on {where[source]}, not {topics}"
    said = {(source, out.topic): out for source, one in wanted.items() for out in one.records}
    for record in found:
        expected = said[source_of(record), record.topic]
        assert record.key == expected.key
        assert _own(record.value) == _own(expected.value), f"{source_of(record)}, {record.topic}"


def duplicates(found: Sequence[ConsumerRecord]) -> int:
    """How many records stand a second time on their topic."""
    return len(found) - len({(record.topic, source_of(record)) for record in found})


def assert_in_order(found: Sequence[ConsumerRecord], emitted: Sequence[InRecord]) -> None:
    """On each topic a conversation's events first appear in the order in which they came in."""
    number = {record.source: at for at, record in enumerate(emitted)}
    last: dict[tuple[str, bytes | None], int] = {}
    seen: set[tuple[str, Source]] = set()
    for record in found:
        source = source_of(record)
        if (record.topic, source) in seen:
            continue
        seen.add((record.topic, source))
        place = (record.topic, record.key)
        assert last.get(place, -1) < number[source], f"{source} is late on {record.topic}"
        last[place] = number[source]


def _own(value: bytes | None) -> object:
    """A decision as far as it is the record's own; a dead letter's value as it is."""
    try:
        decision = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return value
    if not isinstance(decision, dict) or "decision_id" not in decision:
        return value
    return {name: one for name, one in decision.items() if name not in _OF_THE_RUN}


def _missing(sources: set[Source]) -> str:
    return f"{len(sources)} inputs, among them {sorted(map(str, sources))[:5]}"


def _batches(records: Sequence[InRecord]) -> Iterator[list[InRecord]]:
    left = iter(records)
    while batch := list(islice(left, _BATCH)):
        yield batch
