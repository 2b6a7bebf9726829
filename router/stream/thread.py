"""The consumer's own thread: fetch, seek and commit, each run on that thread's event loop.

Whatever decides between a fetch and a seek is decided here, without an await between, because
here nothing else can come in between.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import aiokafka
import structlog
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread

from router.settings import Settings
from router.stream.partition import TopicPartition
from router.stream.security import client_options

FETCH_BYTES = 1024 * 1024
"""Of one partition in one fetch; a single larger record comes all the same."""

_FETCH_TOTAL = 16 * FETCH_BYTES
_NEVER_MS = 24 * 3600 * 1000
_log = structlog.get_logger("router.stream")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Fetched:
    """One partition's records, the offset at which its next fetch starts, and the log's end."""

    sequence: int
    records: list[Any]
    position: int
    end: int


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a partition was put by a seek; ``committed`` is None for a group without an offset."""

    sequence: int
    position: int
    committed: int | None


class BatchThread(AIOKafkaConsumerThread):
    """Faust's consumer thread, with a consumer of our settings and fetches of whole batches."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._sequences: dict[TopicPartition, int] = {}
        self._count = itertools.count(1)
        self._fetching: asyncio.Task[Any] | None = None
        self._woken = False

    def _create_worker_consumer(self, transport: Any) -> Any:
        settings: Settings = transport.settings
        session = int(settings.session_timeout * 1000)
        return aiokafka.AIOKafkaConsumer(
            bootstrap_servers=settings.broker,
            client_id="router",
            group_id=settings.group,
            group_instance_id=settings.instance or None,
            partition_assignment_strategy=[RoundRobinPartitionAssignor],
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            max_partition_fetch_bytes=FETCH_BYTES,
            fetch_max_bytes=_FETCH_TOTAL,
            fetch_max_wait_ms=int(settings.fetch_wait * 1000),
            session_timeout_ms=session,
            heartbeat_interval_ms=session // 10,
            rebalance_timeout_ms=session,
            # A join is answered once the others have come, which takes a rebalance timeout.
            request_timeout_ms=max(session + 5_000, int(settings.request_timeout * 1000)),
            # Back-pressure is ours, and a batch may take long: leaving then would help nobody.
            max_poll_interval_ms=_NEVER_MS,
            **client_options(settings),
        )

    async def fetch(self, wanted: Mapping[TopicPartition, int], wait: float) -> dict[Any, Fetched]:
        """What has come of the ``wanted`` partitions, after at most ``wait`` seconds.

        ``wanted`` has the sequence number that the asker knows; a partition that was moved since
        is left alone. Empty when ``wake`` or a seek cut it short.

        Raises:
            KafkaError: the broker refuses, or a record cannot be fetched at all.
        """
        return await self._on_thread(self._fetch(wanted, wait))

    async def place(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, Placed]:
        """Seek to what the group has committed, or to the beginning where it has nothing.

        Raises:
            IllegalStateError: a partition was taken away meanwhile.
            KafkaError: the broker refuses.
        """
        return await self._on_thread(self._place([TopicPartition(*tp) for tp in partitions]))

    async def reposition(self, partition: TopicPartition, position: int) -> int:
        """Seek one partition to ``position``; gives its new sequence number."""
        return await self._on_thread(self._reposition(partition, position))

    async def commit_offsets(self, offsets: Mapping[TopicPartition, int], limit: float) -> bool:
        """Tell the group. False: it has rebalanced, or the broker did not answer in time.

        Raises:
            KafkaError: the broker refuses, and would again.
        """
        return await self._on_thread(self._commit_offsets(offsets, limit))

    async def ends(
        self, partitions: Iterable[TopicPartition]
    ) -> dict[TopicPartition, tuple[int, int]]:
        """Each partition's end as a read-committed consumer sees it, and where reading stands.

        Raises:
            KafkaError: the broker does not say.
        """
        return await self._on_thread(self._ends([_theirs(tp) for tp in partitions]))

    def wake(self) -> None:
        """Cut a waiting fetch short: there is room for a partition that it does not ask for."""
        if not self.thread_loop.is_closed():
            self.thread_loop.call_soon_threadsafe(self._wake)

    def check(self) -> None:
        """See whether the group membership still runs; nothing else would say so.

        Raises:
            KafkaError: it ended, with the reason.
        """
        consumer = self._consumer
        if consumer is None or consumer._closed or consumer._coordinator is None:
            return
        for task in (consumer._coordinator._coordination_task, consumer._fetcher._fetch_task):
            if task.done() and not task.cancelled():
                raise task.exception() or KafkaError("The group membership ended.")
        if consumer._coordinator._pending_exception is not None:
            raise consumer._coordinator._pending_exception

    def on_crash(self, msg: str, *fmt: Any, **_: Any) -> None:
        """Faust's prints a traceback on standard error, past the log."""
        del msg, fmt
        _log.error("the consumer's thread failed", exc_info=True)

    async def _on_thread(self, work: Coroutine[Any, Any, _T] | Awaitable[_T]) -> _T:
        async def run() -> _T:
            return await work

        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(run(), self.thread_loop))

    async def _fetch(self, wanted: Mapping[TopicPartition, int], wait: float) -> dict[Any, Fetched]:
        consumer = self._ensure_consumer()
        asked = {tp: seq for tp, seq in wanted.items() if self._sequences.get(tp) == seq}
        woken, self._woken = self._woken, False
        if woken or not asked:  # never an empty set: it would read as "all"
            return {}
        fetcher = consumer._fetcher
        self._fetching = asyncio.current_task()
        try:
            with fetcher._subscriptions.fetch_context():
                found = await fetcher.fetched_records(
                    {_theirs(tp) for tp in asked}, timeout=wait, max_records=None
                )
        except asyncio.CancelledError:
            return {}  # nothing was taken yet: records are taken without an await after
        finally:
            self._fetching = None
        return {TopicPartition(*tp): self._fetched(tp, asked, records)
                for tp, records in found.items()}  # fmt: skip

    def _fetched(self, tp: Any, asked: Mapping[TopicPartition, int], records: list[Any]) -> Fetched:
        after = int(records[-1].offset) + 1
        # Past markers that follow the records in the same fetch, too.
        position = max(after, self._position(tp) or after)
        state = self._state(tp)
        end = (state.lso if state.lso is not None else state.highwater) if state else None
        return Fetched(asked[TopicPartition(*tp)], records, position, max(after, end or after))

    async def _ends(self, partitions: list[Any]) -> dict[TopicPartition, tuple[int, int]]:
        ends = await self._ensure_consumer().end_offsets(partitions)
        return {TopicPartition(*tp): (end, self._position(tp) or 0) for tp, end in ends.items()}

    def _position(self, tp: Any) -> int | None:
        state = self._state(tp)
        return int(state.position) if state and state.has_valid_position else None

    def _state(self, tp: Any) -> Any:
        subscription = self._ensure_consumer()._subscription.subscription
        assignment = subscription.assignment if subscription is not None else None
        if assignment is None or tp not in assignment.tps:
            return None
        return assignment.state_value(tp)

    async def _place(self, partitions: list[TopicPartition]) -> dict[TopicPartition, Placed]:
        consumer = self._ensure_consumer()
        theirs = [_theirs(tp) for tp in partitions]
        beginnings = await consumer.beginning_offsets(theirs)
        committed = await asyncio.gather(*(consumer.committed(tp) for tp in theirs))
        # No await from here on. A fetch that is waiting would take records from the new place
        # under the old sequence number, and they would be thrown away.
        self._cancel_fetch()
        placed = {}
        for tp, known in zip(theirs, committed, strict=True):
            position = beginnings[tp] if known is None else known
            if known is not None and known < beginnings[tp]:
                _log.error("records expired unread", partition=tp.partition, topic=tp.topic,
                           records=beginnings[tp] - known)  # fmt: skip
                position = beginnings[tp]
            placed[TopicPartition(*tp)] = Placed(self._seek_to(tp, position), position, known)
        return placed

    async def _reposition(self, partition: TopicPartition, position: int) -> int:
        self._cancel_fetch()
        return self._seek_to(_theirs(partition), position)

    def _seek_to(self, tp: Any, position: int) -> int:
        self._ensure_consumer().seek(tp, position)
        sequence = next(self._count)
        self._sequences[TopicPartition(*tp)] = sequence
        return sequence

    def _wake(self) -> None:
        # A fetch that was asked for and has not begun must not wait either.
        self._woken = self._fetching is None
        self._cancel_fetch()

    def _cancel_fetch(self) -> None:
        if self._fetching is not None:
            self._fetching.cancel()

    async def _commit_offsets(self, offsets: Mapping[TopicPartition, int], limit: float) -> bool:
        consumer = self._ensure_consumer()
        assigned = consumer.assignment()
        theirs = {_theirs(tp): offset for tp, offset in offsets.items() if tp in assigned}
        if not theirs:
            return False
        try:
            await asyncio.wait_for(consumer.commit(theirs), limit)
        except (CommitFailedError, IllegalStateError, TimeoutError):
            return False
        return True


def _theirs(tp: Any) -> Any:
    return aiokafka.TopicPartition(*tp)
