"""Whether a history keeps what was promised. Pure: a history in, violations out."""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from tests.chaos.history import History, Read, Standing

Fault = Literal[
    "lost",  # acknowledged and not on the input, or on the input and nowhere on the outputs
    "duplicated",  # twice on a topic; in at-least-once only with another decision id
    "reordered",  # a conversation's events first appear on a topic in another order
    "routed twice",  # one input in two places, or its log naming another place
    "unequal id",  # a decision id that is not its source's
    "invented",  # an output without an input
]
FAULTS: tuple[Fault, ...] = (
    "lost",
    "duplicated",
    "reordered",
    "routed twice",
    "unequal id",
    "invented",
)
_UNAVAILABLE = "model_unavailable"
DEAD_LETTER, IGNORED = "router.dead-letter", "router.ignored"


@dataclass(frozen=True, slots=True)
class Violation:
    fault: Fault
    what: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """``repeats`` are copies beyond the first that at-least-once allows; ``degraded`` inputs stand
    in review for want of a model and, from another attempt, in their queue."""

    violations: tuple[Violation, ...]
    repeats: int
    degraded: int

    def count(self, fault: Fault) -> int:
        return sum(violation.fault == fault for violation in self.violations)


def check(history: History) -> Verdict:
    """All that is wrong with ``history``."""
    inputs = {one.source: one for one in history.standing}
    outputs: dict[str, list[Read]] = defaultdict(list)
    for record in history.read:
        outputs[record.source].append(record)
    strict = history.delivery == "exactly-once"
    found = [*_lost_upstream(history), *_reordered(history.read, inputs)]
    degraded = 0
    for source, records in outputs.items():
        if source not in inputs:
            found.append(Violation("invented", f"{source} on {records[0].topic}"))
        excused = not strict and _is_degraded(records)
        degraded += excused
        found += _ids(source, records)
        found += _copies(source, records, strict=strict)
        if not excused:
            found += _places(source, records)
    for source, one in inputs.items():
        found += _missing(one, outputs.get(source, []))
    return Verdict(tuple(found), _repeats(history.read), degraded)


def expected_id(source: str) -> str:
    """A UUIDv5 of the source's coordinates, as consumers are told."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, source))


def _lost_upstream(history: History) -> Iterator[Violation]:
    there = {one.number for one in history.standing}
    for one in history.produced:
        if one.acked and one.number not in there:
            yield Violation("lost", f"event {one.number} was acknowledged and is on no input")


def _missing(one: Standing, records: list[Read]) -> Iterator[Violation]:
    queues = {record.queue for record in records}
    logged = any(record.log for record in records)
    placed = any(not record.log for record in records)
    if not placed and IGNORED not in queues:
        yield Violation("lost", f"event {one.number} ({one.source}) is in no place")
    if not logged and DEAD_LETTER not in queues:
        yield Violation("lost", f"event {one.number} ({one.source}) is not in the decision log")


def _copies(source: str, records: Iterable[Read], *, strict: bool) -> Iterator[Violation]:
    by_topic: dict[str, list[Read]] = defaultdict(list)
    for record in records:
        by_topic[record.topic].append(record)
    for topic, copies in by_topic.items():
        if len(copies) > 1 and (strict or len({one.decision_id for one in copies}) > 1):
            where = ", ".join(f"{one.partition}/{one.offset}" for one in copies)
            yield Violation("duplicated", f"{source} on {topic} at {where}")


def _places(source: str, records: Iterable[Read]) -> Iterator[Violation]:
    queues = sorted({record.queue for record in records})
    topics = sorted({record.topic for record in records if not record.log})
    if len(queues) > 1 or len(topics) > 1:
        yield Violation("routed twice", f"{source} to {queues} on {topics}")


def _is_degraded(records: Iterable[Read]) -> bool:
    """Decided once without the model and once with it; nothing else differs."""
    with_model = {one.queue for one in records if one.reason != _UNAVAILABLE}
    without = {one.queue for one in records if one.reason == _UNAVAILABLE}
    return bool(without) and len(with_model) == 1 and len(without) == 1 and with_model != without


def _ids(source: str, records: Iterable[Read]) -> Iterator[Violation]:
    right = expected_id(source)
    for record in records:
        if record.queue != DEAD_LETTER and record.decision_id != right:
            yield Violation("unequal id", f"{source} on {record.topic}: {record.decision_id}")


def _reordered(read: Iterable[Read], inputs: dict[str, Standing]) -> Iterator[Violation]:
    last: dict[tuple[str, str], Standing] = {}
    stands_on: dict[tuple[str, str], int] = {}
    seen: set[tuple[str, str]] = set()
    for record in sorted(read, key=lambda one: (one.topic, one.partition, one.offset)):
        one = inputs.get(record.source)
        if one is None or (record.topic, record.source) in seen:
            continue
        seen.add((record.topic, record.source))
        thread = (record.topic, record.conversation)
        if stands_on.setdefault(thread, record.partition) != record.partition:
            yield Violation("reordered", f"{thread} is spread over partitions of its topic")
        before = last.get(thread)
        if before is not None and before.offset > one.offset:
            yield Violation("reordered", f"{one.source} after {before.source} on {record.topic}")
        else:
            last[thread] = one


def _repeats(read: Iterable[Read]) -> int:
    return sum(n - 1 for n in Counter((one.topic, one.source) for one in read).values())
