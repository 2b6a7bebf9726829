"""The batch consumer: Faust keeps the group, we keep the partitions.

Faust's own bookkeeping of acks, gaps and read offsets is not used: a partition here knows what was
read, what is out and what is done, and only what is published is ever committed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import structlog
from aiokafka.errors import IllegalStateError, KafkaError
from faust.transport.drivers.aiokafka import Consumer as FaustConsumer

from router.core.clock import Clock
from router.errors import DrainTimeout, RouterError, StreamError
from router.stream.expired import check_gone, check_placed
from router.stream.message import BatchMessage
from router.stream.partition import Batch, Partition, TopicPartition
from router.stream.reader import Fetched, Gone
from router.stream.runtime import Runtime
from router.stream.thread import BatchThread

Ends = dict[TopicPartition, tuple[int, int]]
"""The end and the position of each."""

FETCH_SECONDS = 1.0
"""Longest wait of one fetch call for records; a stop or a rebalance is seen at least so often."""

_log = structlog.get_logger("router.stream")


class BatchConsumer(FaustConsumer):
    """One for each app; ``partitions`` is what is assigned now."""

    _thread: BatchThread

    def __init__(self, transport: Any, *args: Any, **kwargs: Any) -> None:
        self.runtime: Runtime = transport.runtime
        self.clock: Clock = transport.runtime.clock
        self.partitions: dict[TopicPartition, Partition] = {}
        self.stopping = False
        self._room = asyncio.Event()
        self._commit_lock = asyncio.Lock()
        self._revocations = 0
        self._asked: Mapping[TopicPartition, int] = {}
        """What the fetch that is under way, or was last, asks for."""
        self._fetch_task: asyncio.Future[dict[Any, Fetched | Gone]] | None = None
        super().__init__(transport, *args, **kwargs)

    def _new_consumer_thread(self) -> BatchThread:
        return BatchThread(self, loop=self.loop, beacon=self.beacon)

    # -- assigned

    async def perform_seek(self) -> None:
        """Take the assigned partitions over. Faust awaits this just before the flow resumes.

        Any failure but a further rebalance ends the process: Faust would carry on without.
        """
        self._forget()
        revocations = self._revocations
        tps = [TopicPartition(*tp) for tp in self.assignment()]
        limit = self.runtime.settings.request_timeout
        try:
            async with asyncio.timeout(limit):
                await self.runtime.delivery.assigned(tps)
                await self._check_held(tps, revocations)
                placed = await self._thread.place(tps)
                await self._check_held(tps, revocations)
            check_placed(placed, self.runtime.settings.on_expired)
        except (IllegalStateError, asyncio.CancelledError):
            raise
        except TimeoutError as error:
            self._fail(
                StreamError(f"The partitions could not be taken over within {limit:g} s."), error
            )
            raise
        except Exception as error:
            self._fail(StreamError("The partitions could not be taken over."), error)
            raise
        for tp, place in placed.items():
            partition = Partition(tp, place.sequence, place.position)
            partition.committed = place.committed
            self.partitions[tp] = partition

    async def _check_held(self, tps: Iterable[TopicPartition], revocations: int) -> None:
        """Nothing tells a take-over that it was overtaken: the former assignment stands until the
        next one comes, and that may be empty."""
        if self._revocations != revocations:
            await self.runtime.delivery.revoked(tps)
            raise IllegalStateError("The partitions were taken away while they were taken over.")

    def resume_flow(self) -> None:
        """The assignment is complete, and may be empty."""
        super().resume_flow()
        self._room.set()
        self.runtime.joined(self.partitions)

    # -- fetched

    async def _drain_messages(self, fetcher: Any) -> None:
        try:
            while not (self.should_stop or fetcher.should_stop):
                self.runtime.beat()
                if not self.flow_active:
                    await self._pause(self.can_resume_flow)
                    continue
                wanted = {tp: p.sequence for tp, p in self.partitions.items() if p.may_fetch}
                self._room.clear()
                if not wanted:
                    await self._pause(self._room)
                    continue
                await self._deliver(await self._fetch(wanted))
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            if not (self.stopping or self.should_stop):
                self._fail(StreamError("Nothing more can be fetched."), error)
            raise

    async def _pause(self, until: Any) -> None:
        try:
            await asyncio.wait_for(until.wait(), FETCH_SECONDS)
        except TimeoutError:
            return

    async def _fetch(self, wanted: Mapping[TopicPartition, int]) -> dict[Any, Fetched | Gone]:
        """One fetch call. If this is cancelled its result is not lost: the next call gives it."""
        if self._fetch_task is None:
            self._asked = wanted
            self._fetch_task = asyncio.ensure_future(self._thread.fetch(wanted, FETCH_SECONDS))
        task = self._fetch_task
        fetched = await asyncio.shield(task)
        self._fetch_task = None
        return fetched

    async def _deliver(self, found: Mapping[TopicPartition, Fetched | Gone]) -> None:
        taken = [await self._take(tp, fetched) for tp, fetched in found.items()]
        # Of a partition that a seek of another's was waited for, in case it went meanwhile.
        batches = [batch for batch in taken if batch is not None and not batch.stale]
        if batches and self.flow_active:
            message = BatchMessage(batches, self.app.consumer_generation_id)
            # Faust's flow control blocks here while a rebalance is under way.
            await self.wait_first(self.callback(message), self.suspend_flow.wait())

    async def _take(self, tp: TopicPartition, fetched: Fetched | Gone) -> Batch | None:
        """A batch of what was fetched, where it is still ours to do."""
        partition = self.partitions.get(tp)
        if partition is None or not partition.ready or not self.flow_active:
            return None  # being taken away: whoever takes it over seeks first
        if fetched.sequence != partition.sequence:
            position = partition.undone
            partition.move(await self._thread.reposition(tp, position), position)
            return None
        if isinstance(fetched, Gone):
            await self._skip(partition, fetched)
            return None
        records = fetched.records
        if records[0].source.offset < partition.position:
            _log.warning("the topic starts again below what was read", topic=tp.topic,
                         partition=tp.partition, offset=records[0].source.offset)  # fmt: skip
        batch = partition.take(records, fetched.position, self.clock.monotonic())
        partition.end = fetched.end
        return batch

    async def _skip(self, partition: Partition, gone: Gone) -> None:
        """What is in hand is finished and committed first: it is nowhere else any more."""
        await self.wait_first(self.runtime.lanes.wait_idle(), self.suspend_flow.wait())
        if partition.out or not partition.ready:
            return  # a rebalance came in between; whoever has it then finds the same
        await self.commit()
        check_gone(partition.tp, gone, self.runtime.settings.on_expired)
        partition.restart(await self._thread.reposition(partition.tp, gone.first), gone.first)

    async def ends(self, partitions: Iterable[TopicPartition]) -> Ends:
        """Where each partition ends now, and where reading stands."""
        return await self._thread.ends(partitions)

    async def committed(self, partition: TopicPartition) -> int | None:
        """What the group's coordinator has for ``partition`` now."""
        return await self._thread.committed(partition)

    def check(self) -> None:
        """Raises KafkaError where the group membership has ended."""
        self._thread.check()

    def freed(self, partition: Partition) -> None:
        """A batch of ``partition`` was finished: fetch for it, unless that is under way."""
        self._room.set()
        if partition.tp not in self._asked:
            self._thread.wake()

    def ack(self, message: Any) -> bool:
        """Faust's ack means nothing here: a batch is done when it is published."""
        message.acked = True
        self._unacked_messages.discard(message)
        return False

    # -- committed

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Commit all that is published and not committed. False: nothing, or it did not work."""
        del topics, start_new_transaction
        if not self.runtime.delivery.commits:
            return False
        async with self._commit_lock:
            todo = [(p, p.to_commit) for p in self.partitions.values()]
            offsets = {p.tp: offset for p, offset in todo if offset is not None}
            if not offsets:
                return False
            limit = self.runtime.settings.request_timeout
            try:
                done = await self._thread.commit_offsets(offsets, limit)
            except KafkaError as error:
                self._fail(StreamError("The broker refuses to commit offsets."), error)
                return False
            if not done:
                _log.warning("offsets not committed", partitions=len(offsets))
                return False
            for partition, offset in todo:
                if offset is not None:
                    partition.committed = offset
            return True

    # -- revoked and stopped

    async def on_partitions_revoked(self, revoked: Any) -> None:
        self._revocations += 1
        self.runtime.rebalancing()
        self._close()
        if self.stopping:  # then Faust does not wait
            await self.wait_empty()
        await super().on_partitions_revoked(revoked)  # waits in wait_empty, below
        await self.runtime.delivery.revoked(TopicPartition(*tp) for tp in revoked)
        self._forget()

    async def wait_empty(self) -> None:
        """Finish what is in flight, commit it, and drop what is queued; but not for ever."""
        self._close()
        limit = self.runtime.empty_within(self.stopping)
        try:
            async with asyncio.timeout(limit):
                await self.runtime.lanes.wait_idle()
        except TimeoutError as error:
            kind = DrainTimeout if self.stopping else StreamError
            self._fail(kind(f"The batch in flight did not finish within {limit:g} s."), error)
            return
        await self.commit()

    async def on_stop(self) -> None:
        self.stopping = True
        await super().on_stop()
        await self.runtime.delivery.revoked(list(self.partitions))
        self._forget()

    async def verify_all_partitions_active(self) -> None:
        """Faust's livelock checks compare clocks that do not compare; the watchdog is ours."""

    def _close(self) -> None:
        for partition in self.partitions.values():
            partition.closing = True

    def _forget(self) -> None:
        self._close()
        for partition in self.partitions.values():
            partition.ready = False
        self.partitions = {}
        self.runtime.lanes.cancel()

    def _fail(self, failure: RouterError, cause: BaseException) -> None:
        if isinstance(cause, RouterError):
            failure = cause  # it says more
        else:
            failure.__cause__ = cause
        self.runtime.fail(failure)
