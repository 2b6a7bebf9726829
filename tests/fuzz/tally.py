"""What a run has seen, added up over chunks and processes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.fuzz.oracle import Oracle
from tests.fuzz.records import record

_BATCH = 32
_SLOWEST = 5
_SHOWN = 20


@dataclass(slots=True)
class Tally:
    """``wrong`` and ``slowest`` are by record number; seconds are of the processor."""

    records: int = 0
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    wrong: list[tuple[int, str]] = field(default_factory=list)
    unexpected: int = 0
    slowest: list[tuple[float, int, int]] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, other: Tally) -> None:
        self.records += other.records
        self.outcomes += other.outcomes
        self.wrong = sorted(self.wrong + other.wrong)[:_SHOWN]
        self.unexpected += other.unexpected
        self.slowest = sorted(self.slowest + other.slowest, reverse=True)[:_SLOWEST]
        self.seconds += other.seconds

    @property
    def decided(self) -> int:
        """Records that reached a decision on where they go."""
        return sum(n for (kind, _), n in self.outcomes.items() if kind in ("routed", "review"))

    @property
    def good(self) -> bool:
        """Nothing was wrong, every record has its outcome, and half of them were decided."""
        counted = sum(self.outcomes.values()) == self.records
        return not self.unexpected and counted and 2 * self.decided >= self.records

    def lines(self) -> Iterator[str]:
        """A table for people."""
        yield f"{'outcome':<12} {'reason':<26} {'records':>10} {'share':>7}"
        for (kind, reason), count in sorted(
            self.outcomes.items(), key=lambda one: (one[0][0], -one[1])
        ):
            yield f"{kind:<12} {reason:<26} {count:>10,} {count / self.records:>7.2%}"
        yield f"reached a decision: {self.decided:,} of {self.records:,}"
        mean = 1e6 * self.seconds / max(1, self.records)
        yield f"processor time: {mean:.0f} µs a record; the slowest:"
        for seconds, number, size in self.slowest:
            yield f"  {1000 * seconds:8.1f} ms  record {number} of {size:,} bytes"
        yield f"unexpected outcomes: {self.unexpected:,}"
        for number, wrong in self.wrong:
            yield f"  record {number}: {wrong}"


def fuzz(oracle: Oracle, seed: int, numbers: range) -> Tally:
    """Route the records of ``numbers`` one by one, and every tenth batch of them together too."""
    tally = Tally()
    for start in range(0, len(numbers), _BATCH):
        chunk = numbers[start : start + _BATCH]
        records = [record(seed, number) for number in chunk]
        alone = []
        for number, one in zip(chunk, records, strict=True):
            outcome, seconds, wrong = oracle.alone(one)
            alone.append(outcome)
            tally.records += 1
            tally.seconds += seconds
            if not tally.slowest or len(tally.slowest) < _SLOWEST or seconds > tally.slowest[-1][0]:
                entry = (seconds, number, len(one.value or b""))
                tally.slowest = sorted([*tally.slowest, entry], reverse=True)[:_SLOWEST]
            if outcome is not None:
                what = outcome.decision or outcome.rejected
                tally.outcomes[outcome.kind, what.reason if what else ""] += 1
            if wrong:
                tally.unexpected += 1
                tally.wrong.append((number, wrong))
        if start // _BATCH % 10 == 0 and (wrong := oracle.together(records, alone)):
            tally.unexpected += 1
            tally.wrong.append((chunk[0], wrong))
    tally.wrong = tally.wrong[:_SHOWN]
    return tally
