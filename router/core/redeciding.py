"""Decisions made again, beside those that were made: what would change.

What was decided is held at eight bytes a record, so that a day of messages fits into memory: a
number for queue and reason, which are few, and the confidence.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from router.core.decision_id import decision_id
from router.core.line import Outcome
from router.core.record import Source
from router.core.topics import DEAD_LETTER

NO_DECISION = "(none)"
"""The queue and the reason of an input of which no decision was found."""

Partition = tuple[str, int]
Range = tuple[int, int]
"""Offsets: the first, and the one after the last."""


@dataclass(frozen=True, slots=True)
class Made:
    """A decision as far as it is compared."""

    queue: str
    reason: str
    confidence: float | None


def read_decision(value: bytes | None) -> tuple[Source, Made] | None:
    """A record of the decision log, and which input it is about; None where it is no decision."""
    try:
        said: Any = orjson.loads(value or b"")
        source = said["source"]
        place = Source(source["topic"], int(source["partition"]), int(source["offset"]))
        confidence = said["confidence"]
        made = Made(
            str(said["queue"]),
            str(said["reason"]),
            None if confidence is None else float(confidence),
        )
    except (ValueError, KeyError, TypeError):
        return None
    return place, made


def made_of(outcome: Outcome) -> Made:
    """What ``outcome`` says; of a refused record its dead letter's reason."""
    if outcome.decision is not None:
        decision = outcome.decision
        return Made(decision.queue, decision.reason, decision.confidence)
    return Made(DEAD_LETTER, outcome.rejected.reason if outcome.rejected else "", None)


class Past:
    """The decisions that were made about ``ranges`` of input."""

    def __init__(self, ranges: Mapping[Partition, Range]) -> None:
        self._ranges = dict(ranges)
        self._codes = {
            place: array("I", bytes(4 * (end - first))) for place, (first, end) in ranges.items()
        }
        self._confidences = {
            place: array("f", bytes(4 * (end - first))) for place, (first, end) in ranges.items()
        }
        self._kinds: list[tuple[str, str]] = [(NO_DECISION, NO_DECISION)]
        self._numbers = {self._kinds[0]: 0}

    def add(self, source: Source, made: Made) -> bool:
        """Note a decision; of two about the same input the last counts. False: its input lies
        after the range of its partition, and those before it were written before."""
        place = (source.topic, source.partition)
        first, end = self._ranges.get(place, (0, 0))
        if first <= source.offset < end:
            kind = (made.queue, made.reason)
            number = self._numbers.setdefault(kind, len(self._kinds))
            if number == len(self._kinds):
                self._kinds.append(kind)
            at = source.offset - first
            self._codes[place][at] = number
            self._confidences[place][at] = math.nan if made.confidence is None else made.confidence
        return source.offset < end

    def get(self, source: Source) -> Made | None:
        """What was decided about ``source``, a record in the ranges."""
        place = (source.topic, source.partition)
        at = source.offset - self._ranges[place][0]
        number = self._codes[place][at]
        if not number:
            return None
        confidence = self._confidences[place][at]
        queue, reason = self._kinds[number]
        return Made(queue, reason, None if math.isnan(confidence) else round(confidence, 4))


@dataclass(frozen=True, slots=True)
class Change:
    """One input that would be decided otherwise; ids, no words."""

    source: Source
    decision_id: str
    event_id: str | None
    old: Made
    new: Made


@dataclass(slots=True)
class Comparison:
    """Counts of all, and the first ``keep`` changes. A change is another queue or another reason;
    a decision that was never found is ``unmatched`` and no change."""

    keep: int
    records: int = 0
    unmatched: int = 0
    changed: int = 0
    moved: int = 0
    queues: Counter[tuple[str, str]] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    changes: list[Change] = field(default_factory=list)

    @property
    def matched(self) -> int:
        return self.records - self.unmatched

    @property
    def share_changed(self) -> float:
        """Of what was matched."""
        return self.changed / self.matched if self.matched else 0.0

    def add(self, outcome: Outcome, old: Made | None) -> None:
        """Compare one input's new outcome with what was decided."""
        new = made_of(outcome)
        self.records += 1
        self.queues[old.queue if old else NO_DECISION, new.queue] += 1
        if old is None:
            self.unmatched += 1
            return
        self.reasons[old.reason, new.reason] += old.reason != new.reason
        if (old.queue, old.reason) == (new.queue, new.reason):
            return
        self.changed += 1
        self.moved += old.queue != new.queue
        if len(self.changes) < self.keep:
            decision = outcome.decision
            self.changes.append(
                Change(
                    outcome.source,
                    decision_id(outcome.source),
                    decision.event_id if decision else None,
                    old,
                    new,
                )
            )


def share_out(ranges: Mapping[Partition, Range], limit: int) -> dict[Partition, Range]:
    """``ranges`` with at most ``limit`` offsets in all, the first of each, as even as can be."""
    cut: dict[Partition, Range] = {}
    left = limit
    by_size = sorted(ranges.items(), key=lambda item: (item[1][1] - item[1][0], item[0]))
    for at, (place, (first, end)) in enumerate(by_size):
        share = min(end - first, left // (len(by_size) - at))
        cut[place] = (first, first + share)
        left -= share
    return {place: cut[place] for place in ranges}
