"""One partition for one assignment: what was read, what is out, what is done.

A state is never used for a second assignment, and a seek gives it another sequence number. Every
batch carries both, so a late answer from an earlier life is known for what it is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from router.core.record import InRecord
from router.errors import StreamError

BATCHES_OUT = 2
"""A partition with this many fetched batches unfinished is not fetched from, so that memory is
bounded by the fetch size and not by the topic."""

FEW_BYTES = 64 * 1024
"""Unless they hold less than this together: where records come singly, more of them may wait."""

_RECORD_BYTES = 256
"""About what a record takes beside its value."""


SliceDoing = Literal["in line", "routing", "publishing"]


class TopicPartition(NamedTuple):
    """Equal to Faust's and aiokafka's own named tuples of the same two fields."""

    topic: str
    partition: int


@dataclass(slots=True, eq=False)
class Batch:
    """What one fetch brought from one partition.

    ``fetched_at`` is the clock's monotonic time, ``size`` about its bytes of memory.
    """

    partition: Partition
    sequence: int
    records: Sequence[InRecord]
    fetched_at: float
    size: int

    @property
    def stale(self) -> bool:
        """Its partition was taken away, or was moved since: its records are not ours to do."""
        return self.partition.closing or self.sequence != self.partition.sequence


def _nothing() -> None:
    """Nobody waits for it."""


@dataclass(slots=True, eq=False)
class Slice:
    """Some of a partition's records, in order, that are routed and published together.

    ``fetched_at`` is the clock's monotonic time, the first one's; ``size`` is in bytes of values;
    ``routed`` is called once another slice may be handed in, which is published after this one.
    """

    partition: Partition
    records: Sequence[InRecord]
    fetched_at: float
    size: int
    routed: Callable[[], None] = _nothing
    doing: SliceDoing = "in line"
    """Written by the line's thread too."""


@dataclass(slots=True, eq=False)
class Partition:
    """``position`` is the offset to read next, ``acked`` the one after the last record whose
    publication the broker has acknowledged, ``committed`` what the group knows of that."""

    tp: TopicPartition
    sequence: int
    position: int
    acked: int | None = None
    committed: int | None = None
    ready: bool = True
    closing: bool = False
    out: deque[Batch] = field(default_factory=deque)
    held: int = 0
    """About the bytes of what is out."""
    end: int = 0
    """End of the log as last seen, for the lag."""
    passed: int = 0
    """Where reading was last seen, for the lag: markers and holes are passed without a batch."""
    behind_since: float | None = None
    """Broker time of the oldest record that is known and not done (seconds, UTC)."""
    under_way: deque[Slice] = field(default_factory=deque)
    """The slices that are worked on, in order."""

    @property
    def may_fetch(self) -> bool:
        room = len(self.out) < BATCHES_OUT or self.held < FEW_BYTES
        return room and self.ready and not self.closing

    @property
    def to_commit(self) -> int | None:
        """The offset to commit, None when the group knows all there is."""
        return self.acked if self.acked != self.committed else None

    @property
    def undone(self) -> int:
        """The first offset that is not done: records before it need nobody any more."""
        if not self.out:
            return self.position
        first = self.out[0].records[0].source.offset
        return max(first, self.acked) if self.acked is not None else first

    @property
    def behind(self) -> int:
        """How many offsets there are between what is done and the end."""
        done = self.undone if self.out else max(self.undone, self.passed)
        return max(0, self.end - done)

    def take(self, records: Sequence[InRecord], position: int, fetched_at: float) -> Batch:
        """Note a fetch of at least one record; ``position`` is where the next one starts."""
        size = sum([_RECORD_BYTES + len(record.value or b"") for record in records])
        batch = Batch(self, self.sequence, records, fetched_at, size)
        self.held += size
        if not self.out:
            self.behind_since = records[0].broker_time
        self.out.append(batch)
        self.position = position
        return batch

    def ack(self, batch: Batch, done: int) -> bool:
        """The first ``done`` records of the batch are published. False: a late answer.

        Raises:
            StreamError: it is not this batch's turn; committing now would lose what is before it.
        """
        if not self._is_head(batch):
            return False
        last = batch.records[done - 1].source.offset
        if self.acked is not None and last < self.acked:
            raise StreamError(f"{self.tp.topic}/{self.tp.partition} was acknowledged backwards.")
        self.acked = last + 1
        if done < len(batch.records):
            self.behind_since = batch.records[done].broker_time
        return True

    def finish(self, batch: Batch) -> bool:
        """All of the batch is done; there is room for another. False: a late answer."""
        if not self._is_head(batch):
            return False
        self.out.popleft()
        self.held -= batch.size
        if self.out:
            self.behind_since = self.out[0].records[0].broker_time
        else:
            self.behind_since = None
            # Offsets after the last record may be markers and holes: nothing of them is undone.
            self.acked = max(self.position, self.acked or 0)
        return True

    def move(self, sequence: int, position: int) -> None:
        """After a seek: what is out belongs to the past."""
        self.sequence, self.position = sequence, position
        self.out.clear()
        self.held = 0
        self.behind_since = None

    def restart(self, sequence: int, position: int) -> None:
        """After a seek to where the log begins now, which may be before what was done."""
        self.move(sequence, position)
        self.acked = None

    def _is_head(self, batch: Batch) -> bool:
        if batch not in self.out:
            return False
        if batch is not self.out[0]:
            raise StreamError(f"{self.tp.topic}/{self.tp.partition} was worked on out of order.")
        return True
