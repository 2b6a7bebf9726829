"""When records have waited too long and none was decided. It counts, and acts on nothing.

What does not count, or not in full: a partition without waiting records; one whose records are in
hand while those of another are decided, as partitions take turns; the time in which this process
did not run; and a broker's outage, which a restart does not end. There a second counts for a
fifth: a client that does not find its way back to a mended broker is still restarted, and one
that waits for a broken one seldom is. That restart costs nothing, as nothing is decided anyway.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from router.core.clock import Clock
from router.stream.partition import SliceDoing, TopicPartition

_OUTAGE_PACE = 0.2
_LONGEST_STEP = 10.0
"""Between two looks no more than this is counted: a process that slept did not hang."""
_SLOWEST = 10.0
"""Records a second that a slice may take before it counts as hanging; a slow CPU does more."""

Doing = Literal["fetching"] | SliceDoing


@dataclass(frozen=True, slots=True)
class Waiting:
    """An assigned partition with ``records`` undecided, ``in_slice`` of them in the slice that is
    worked on; ``done`` is the offset up to which all is decided."""

    tp: TopicPartition
    records: int
    done: int
    doing: Doing
    in_slice: int = 0


@dataclass(frozen=True, slots=True)
class Stuck:
    """A partition that stands still, and for how many seconds by the clock. ``for_good``: it was
    warned of, and as much time has passed again."""

    waiting: Waiting
    seconds: float
    for_good: bool

    def __str__(self) -> str:
        tp = self.waiting.tp
        return (
            f"{self.waiting.records} records wait on {tp.topic}/{tp.partition} and none was "
            f"decided for {self.seconds:.0f} s; it is {_WORDS[self.waiting.doing]}, "
            f"from offset {self.waiting.done} on"
        )


_WORDS: dict[Doing, str] = {
    "fetching": "waiting for a fetch",
    "in line": "in line behind the slice of another partition",
    "routing": "routing a slice",
    "publishing": "publishing a slice",
}


@dataclass(slots=True)
class _Still:
    done: int
    counted: float
    seconds: float


class Watchdog:
    """Told at each look what waits; keeps since when nothing of it has moved."""

    def __init__(self, limit: float, clock: Clock) -> None:
        """``limit`` in seconds: a warning after it, the end after twice as long; 0 is never."""
        self._limit = limit
        self._clock = clock
        self._looked = clock.monotonic()
        self._counted = 0.0
        self._still: dict[TopicPartition, _Still] = {}
        self._decided = (0.0, self._looked)

    def look(self, waiting: Iterable[Waiting], *, broker_answers: bool) -> Stuck | None:
        """The partition that stands still longest, if that is too long."""
        now = self._clock.monotonic()
        step = min(now - self._looked, _LONGEST_STEP)
        self._looked = now
        self._counted += step if broker_answers else step * _OUTAGE_PACE
        waiting = list(waiting)
        self._note(waiting, now)
        if not self._limit:
            return None
        slice_time = max((one.in_slice for one in waiting), default=0) / _SLOWEST
        return max(
            (stuck for one in waiting if (stuck := self._stuck(one, now, slice_time))),
            key=lambda stuck: (stuck.for_good, stuck.waiting.doing == "routing", stuck.seconds),
            default=None,
        )

    def _note(self, waiting: list[Waiting], now: float) -> None:
        still = {}
        for one in waiting:
            before = self._still.get(one.tp)
            if before is not None and before.done == one.done:
                still[one.tp] = before
            else:
                still[one.tp] = _Still(one.done, self._counted, now)
        if self._still.keys() - still.keys() or any(
            still[tp] is not before for tp, before in self._still.items()
        ):
            self._decided = (self._counted, now)
        self._still = still

    def _stuck(self, one: Waiting, now: float, slice_time: float) -> Stuck | None:
        still = self._still[one.tp]
        since, limit = (still.counted, still.seconds), self._limit
        if one.doing != "fetching":
            since = max(since, self._decided)
            limit += slice_time
        quiet = self._counted - since[0]
        if quiet < limit:
            return None
        return Stuck(one, now - since[1], for_good=quiet >= limit + self._limit)
