"""One lane for each partition: its slices go in order, those of several overlap.

While a slice is published the next one may be routed already; what came meanwhile is in it. A
failure in any of them ends the process, which replays: nothing after a failure is done.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import structlog

from router.core.record import InRecord
from router.errors import StreamError
from router.stream.partition import Batch, Partition, Slice
from router.stream.slices import SLICE_BYTES, reach

UNDER_WAY = 2
"""Slices of a partition: one is published, and one is routed or waits for that."""

_log = structlog.get_logger("router.stream")

Fail = Callable[[BaseException], None]
"""Ends the process with the error; may be called again, the first one counts."""


class SliceWork(Protocol):
    """Routes and publishes one slice."""

    async def do(self, one: Slice) -> bool:
        """True when the slice is published and acknowledged, False when it was not even begun
        because its partition is being taken away; anything else is a failure."""
        ...


class _Part(NamedTuple):
    """How far a batch is done once a slice is."""

    batch: Batch
    done: int


class Lane:
    """What waits of one partition, and what is under way."""

    def __init__(
        self,
        partition: Partition,
        work: SliceWork,
        slice_records: Callable[[], int],
        freed: Callable[[Partition], None],
        fail: Fail,
    ) -> None:
        """``slice_records`` is asked how many records the next slice has at most; ``freed`` is told
        when a batch is finished and there is room for another."""
        self._partition = partition
        self._work = work
        self._slice_records = slice_records
        self._freed = freed
        self._fail = fail
        self._waiting: deque[Batch] = deque()
        self._at = 0
        """How many records of the first that waits are taken already."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._in_line = False
        """A slice waits to be routed: what comes now goes into the one after it."""
        self._stopped = False
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def idle(self) -> bool:
        return self._idle.is_set()

    def put(self, batch: Batch) -> None:
        self._idle.clear()
        self._waiting.append(batch)
        self._go_on()

    async def wait_idle(self) -> None:
        await self._idle.wait()

    def cancel(self) -> None:
        """Stop now, in the middle of whatever it does; nothing of that is acknowledged."""
        self._stopped = True
        for task in self._tasks:
            task.cancel()

    def _go_on(self) -> None:
        """Hand in the next slice, where there is one and its time has come."""
        under_way = self._partition.under_way
        if self._stopped or self._in_line or len(under_way) >= UNDER_WAY:
            return
        parts, records, size = self._take()
        if parts:
            self._in_line = True
            fetched_at = parts[0].batch.fetched_at
            one = Slice(self._partition, records, fetched_at, size, self._routed)
            under_way.append(one)
            task = asyncio.get_running_loop().create_task(self._do(one, parts))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif not under_way:
            self._idle.set()

    def _take(self) -> tuple[list[_Part], Sequence[InRecord], int]:
        """What goes together of the batches that wait, and its bytes; stale ones are dropped."""
        parts: list[_Part] = []
        records: Sequence[InRecord] = ()
        most, size = self._slice_records(), 0
        while self._waiting and len(records) < most and size < SLICE_BYTES:
            batch, start = self._waiting[0], self._at
            if batch.stale:
                self._waiting.popleft()
                self._at = 0
                _log.debug("batch dropped", partition=str(self._partition.tp), done=start)
                continue
            end, more = reach(batch.records, start, most - len(records), SLICE_BYTES - size)
            if parts and size + more > SLICE_BYTES:
                break
            parts.append(_Part(batch, end))
            some = batch.records[start:end]
            records = [*records, *some] if records else some
            size += more
            self._at = end
            if end == len(batch.records):
                self._waiting.popleft()
                self._at = 0
        return parts, records, size

    def _routed(self) -> None:
        self._in_line = False
        self._go_on()

    async def _do(self, one: Slice, parts: Sequence[_Part]) -> None:
        try:
            done = await self._work.do(one)
            if done:
                self._done(one, parts)
            else:  # the one before it may still be published
                self._partition.under_way.remove(one)
        except asyncio.CancelledError:
            if not self._stopped:
                self._fail(StreamError("A slice was broken off, and nobody had asked for it."))
            raise
        except BaseException as error:  # whatever it is, to go on would lose it
            self._stopped = True
            self._fail(error)
            return
        if not done:
            self._waiting.clear()  # it is not ours any more
        self._in_line = self._in_line and bool(self._partition.under_way)
        self._go_on()

    def _done(self, one: Slice, parts: Sequence[_Part]) -> None:
        if self._partition.under_way.popleft() is not one:
            raise StreamError(f"A slice of {self._partition.tp.topic} overtook another.")
        for batch, done in parts:
            self._partition.ack(batch, done)
            if done == len(batch.records):
                self._partition.finish(batch)
                self._freed(self._partition)


class Lanes:
    """The lanes of what is assigned."""

    def __init__(self, make: Callable[[Partition], Lane]) -> None:
        self._make = make
        self._lanes: dict[Partition, Lane] = {}
        self._closed = False

    def put(self, batch: Batch) -> None:
        """Hand a batch to its partition's task; one of an earlier assignment is dropped."""
        if batch.stale or self._closed:
            _log.debug("late batch dropped", partition=str(batch.partition.tp))
            return
        lane = self._lanes.get(batch.partition)
        if lane is None:
            lane = self._lanes[batch.partition] = self._make(batch.partition)
        lane.put(batch)

    def busy(self, partition: Partition) -> bool:
        lane = self._lanes.get(partition)
        return lane is not None and not lane.idle

    async def wait_idle(self) -> None:
        """Until nothing is in flight; what is queued on closing partitions is dropped unseen."""
        await asyncio.gather(*(lane.wait_idle() for lane in list(self._lanes.values())))

    def cancel(self) -> None:
        """Stop all at once and forget them."""
        for lane in self._lanes.values():
            lane.cancel()
        self._lanes.clear()

    def close(self) -> None:
        """Stop all for good: after a failure nothing may overtake what failed."""
        self._closed = True
        self.cancel()
