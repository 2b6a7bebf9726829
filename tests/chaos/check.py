"""Whether a history keeps what was promised. Pure: a history in, violations out."""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
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
DEAD_LETTER, IGNORED, REVIEW = "router.dead-letter", "router.ignored", "router.review"


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
    found = [*_lost_upstream(history)]
    late: dict[str, set[str]] = {}
    for source, records in outputs.items():
        if source not in inputs:
            found.append(Violation("invented", f"{source} on {records[0].topic}"))
        excused = not strict and _is_degraded(records)
        if excused:
            late[source] = _late(records)
            found += _halves(source, records)
        found += _ids(source, records)
        found += _copies(source, records, strict=strict)
        if not excused:
            found += _places(source, records)
    for source, one in inputs.items():
        found += _missing(one, outputs.get(source, []))
    ordered = (one for one in history.read if one.log or one.queue not in late.get(one.source, ()))
    found += _reordered(ordered, inputs)
    return Verdict(tuple(found), _repeats(history.read), len(late))


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
    """Decided once without the model and once with it; nothing else differs. Neither a dead letter
    nor what a bot wrote comes to the model at all."""
    with_model = {one.queue for one in records if one.reason != _UNAVAILABLE}
    without = {one.queue for one in records if one.reason == _UNAVAILABLE}
    asked = not with_model & {DEAD_LETTER, IGNORED, REVIEW}
    return asked and len(with_model) == 1 and without == {REVIEW}


def _halves(source: str, records: Iterable[Read]) -> Iterator[Violation]:
    """The last attempt was acknowledged as a whole: one queue has both the place and the log."""
    placed = {one.queue for one in records if not one.log}
    logged = {one.queue for one in records if one.log}
    if placed and logged and not placed & logged:
        yield Violation("lost", f"{source} is placed in {placed} and logged in {logged}")


def _late(records: Sequence[Read]) -> set[str]:
    """The queues in which an input may stand behind what came after it: that of the second attempt.

    It is the last in the log, which a conversation has on one partition. Copies tell of a third
    attempt; then any may be late, and the log, which has all of them, still shows their order.
    """
    logged = sorted((one for one in records if one.log), key=lambda one: one.offset)
    if not logged or len({(one.topic, one.queue) for one in records}) < len(records):
        return {one.queue for one in records}
    return {logged[-1].queue}


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
