"""One ordered task for each partition: batches of one go in order, those of several overlap.

A failure in any of them ends the process, which replays: nothing after a failure is done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from router.core.record import InRecord
from router.stream.partition import Batch, Partition
from router.stream.slices import cut

_log = structlog.get_logger("router.stream")

Fail = Callable[[BaseException], None]
"""Ends the process with the error; may be called again, the first one counts."""


class SliceWork(Protocol):
    """Routes and publishes one slice."""

    async def do(
        self, partition: Partition, records: Sequence[InRecord], fetched_at: float
    ) -> bool:
        """True when the slice is published and acknowledged, False when it was not even begun
        because its partition is being taken away; anything else is a failure."""
        ...


class Lane:
    """The task of one partition."""

    def __init__(
        self,
        work: SliceWork,
        slice_records: Callable[[], int],
        freed: Callable[[], None],
        fail: Fail,
    ) -> None:
        """``slice_records`` is asked how many records the next slice has at most; ``freed`` is told
        when a batch is finished and there is room for another."""
        self._work = work
        self._slice_records = slice_records
        self._freed = freed
        self._fail = fail
        self._queue: asyncio.Queue[Batch] = asyncio.Queue()
        self._idle = asyncio.Event()
        self._idle.set()
        self._task = asyncio.get_running_loop().create_task(self._run())

    @property
    def idle(self) -> bool:
        return self._idle.is_set()

    def put(self, batch: Batch) -> None:
        self._idle.clear()
        self._queue.put_nowait(batch)

    async def wait_idle(self) -> None:
        await self._idle.wait()

    def cancel(self) -> None:
        """Stop now, in the middle of whatever it does; nothing of that is acknowledged."""
        self._task.cancel()

    async def _run(self) -> None:
        while True:
            batch = await self._queue.get()
            try:
                await self._handle(batch)
            except asyncio.CancelledError:
                raise
            except BaseException as error:  # whatever it is, to go on would lose it
                self._fail(error)
                return
            if self._queue.empty():
                self._idle.set()
            self._freed()

    async def _handle(self, batch: Batch) -> None:
        partition = batch.partition
        done = 0
        for records in cut(batch.records, self._slice_records):
            if batch.stale or not await self._work.do(partition, records, batch.fetched_at):
                _log.debug("batch dropped", partition=str(partition.tp), done=done)
                return
            done += len(records)
            partition.ack(batch, done)
        partition.finish(batch)


class Lanes:
    """The lanes of what is assigned."""

    def __init__(self, make: Callable[[], Lane]) -> None:
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
            lane = self._lanes[batch.partition] = self._make()
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
