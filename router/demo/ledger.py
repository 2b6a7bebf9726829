"""The demo's book: what was emitted, what became of it, and whether the two agree."""

from __future__ import annotations

from bisect import insort
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from router.core.record import Source
from router.core.topics import DEAD_LETTER, IGNORED, REVIEW

Kind = Literal["routed", "review", "dead_letter", "ignored"]
KINDS: tuple[Kind, ...] = ("routed", "review", "dead_letter", "ignored")

_KIND_OF: Mapping[str, Kind] = {
    REVIEW: "review",
    DEAD_LETTER: "dead_letter",
    IGNORED: "ignored",
}


@dataclass(frozen=True, slots=True)
class Sent:
    """One emitted record. ``at`` is in seconds of the monotonic clock."""

    source: Source
    event_id: str
    words: str
    at: float


@dataclass(frozen=True, slots=True)
class Seen:
    """One outcome as a reader of the output topics gets it. ``queue`` is as in a decision."""

    source: Source
    queue: str
    reason: str
    confidence: float | None
    event_id: str | None
    at: float

    @property
    def kind(self) -> Kind:
        return _KIND_OF.get(self.queue, "routed")


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds from produce to decision readable, at three quantiles."""

    p50: float
    p95: float
    p99: float


@dataclass(slots=True)
class _Confidence:
    count: int = 0
    total: float = 0.0


class Ledger:
    """Matches outcomes with emitted records by their coordinates in the input topic.

    A routed or reviewed record is done when both its decision and its copy on the queue's topic
    have been seen: the decision log alone would hide a copy that went astray. Everything is
    counted as it comes, so that a long run costs no more at its end than at its start.
    """

    def __init__(self) -> None:
        self.reasons: Counter[tuple[str, str]] = Counter()
        """Outcomes of what was emitted here, by queue and reason."""
        self.repeats = 0
        """Outcomes that came again: a redelivery, which at-least-once allows."""
        self.problems: list[str] = []
        """What makes the run a failure, in words."""
        self.latest: deque[tuple[Sent, Seen]] = deque(maxlen=50)
        self._sent: dict[Source, Sent] = {}
        self._seen: dict[Source, Seen] = {}
        self._copied: dict[Source, str] = {}
        self._open: dict[Source, Sent] = {}
        self._waits: list[float] = []
        self._confidences: dict[str, _Confidence] = {}

    @property
    def emitted(self) -> int:
        return len(self._sent)

    @property
    def decided(self) -> int:
        """How many of the emitted records have an outcome."""
        return len(self._waits)

    def emit(self, sent: Sent) -> None:
        self._sent[sent.source] = self._open[sent.source] = sent
        if seen := self._seen.get(sent.source):
            self._match(sent, seen)

    def decide(self, seen: Seen) -> None:
        """A decision of the log, or a dead letter."""
        if first := self._seen.get(seen.source):
            self.repeats += 1
            if (first.queue, first.reason) != (seen.queue, seen.reason):
                self.problems.append(f"{seen.source} was decided twice, and not alike")
            return
        self._seen[seen.source] = seen
        if sent := self._sent.get(seen.source):
            self._match(sent, seen)

    def copy(self, source: Source, queue: str) -> None:
        """A decision with its event, read from the topic of ``queue``."""
        if self._copied.setdefault(source, queue) != queue:
            self.problems.append(f"{source} is on {self._copied[source]} and on {queue}")
        self._close(source)

    def missing(self) -> Sequence[Sent]:
        """What was emitted and is not done yet, in order of emission."""
        return list(self._open.values())

    def kinds(self) -> dict[Kind, int]:
        """Outcomes of what was emitted here; every kind is named."""
        counts = dict.fromkeys(KINDS, 0)
        for (queue, _), count in self.reasons.items():
            counts[_KIND_OF.get(queue, "routed")] += count
        return counts

    def mean_confidence(self, queue: str) -> float | None:
        """None where no decision of this queue has one."""
        sums = self._confidences.get(queue)
        return sums.total / sums.count if sums else None

    def latency(self) -> Latency | None:
        """None before the first outcome."""
        if not self._waits:
            return None
        return Latency(*(_quantile(self._waits, share) for share in (0.50, 0.95, 0.99)))

    def _match(self, sent: Sent, seen: Seen) -> None:
        self.reasons[seen.queue, seen.reason] += 1
        self.latest.append((sent, seen))
        insort(self._waits, seen.at - sent.at)
        if seen.confidence is not None:
            sums = self._confidences.setdefault(seen.queue, _Confidence())
            sums.count += 1
            sums.total += seen.confidence
        if seen.event_id not in (None, sent.event_id):
            self.problems.append(f"{sent.source} was decided under another event's id")
        self._close(sent.source)

    def _close(self, source: Source) -> None:
        seen = self._seen.get(source)
        if source not in self._open or seen is None:
            return
        copied = self._copied.get(source)
        if seen.kind in ("routed", "review"):
            if copied is None:
                return
            if copied != seen.queue:
                self.problems.append(f"{source} was decided for {seen.queue}, is on {copied}")
        elif copied is not None:
            self.problems.append(f"{source} was decided for {seen.queue}, is on {copied} too")
        del self._open[source]


def _quantile(ordered: Sequence[float], share: float) -> float:
    """The nearest rank: a value that did occur."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
