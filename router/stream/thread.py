"""Faust's consumer thread with a consumer of our settings, and its reader behind a bridge."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping
from typing import Any, TypeVar

import aiokafka
import structlog
from faust.exceptions import ConsumerNotStarted
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread

from router.settings import Settings
from router.stream.header_names import read_any_header_name
from router.stream.partition import TopicPartition
from router.stream.reader import Fetched, Gone, Placed, Reader
from router.stream.records import plain, read_plain_records
from router.stream.security import client_options

FETCH_BYTES = 1024 * 1024
"""Of one partition in one fetch; a single larger record comes all the same."""

_FETCH_TOTAL = 16 * FETCH_BYTES
_NEVER_MS = 24 * 3600 * 1000
_log = structlog.get_logger("router.stream")
_T = TypeVar("_T")


class BatchThread(AIOKafkaConsumerThread):
    """Each method here is called on the app's event loop and works on the thread's."""

    _reader: Reader | None = None

    def _create_worker_consumer(self, transport: Any) -> Any:
        settings: Settings = transport.settings
        session = int(settings.session_timeout * 1000)
        consumer = aiokafka.AIOKafkaConsumer(
            bootstrap_servers=settings.broker,
            client_id="router",
            group_id=settings.group,
            group_instance_id=settings.instance or None,
            partition_assignment_strategy=[transport.assignor],
            enable_auto_commit=False,
            # A position that is out of range is an error, and not mended in silence: `place` seeks.
            auto_offset_reset="none",
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
            value_deserializer=plain,
            **client_options(settings),
        )
        read_any_header_name()
        read_plain_records()
        self._reader = Reader(consumer)
        return consumer

    async def fetch(
        self, wanted: Mapping[TopicPartition, int], wait: float
    ) -> dict[Any, Fetched | Gone]:
        """See ``Reader.fetch``."""
        return await self._on_thread(self._ensure_reader().fetch(wanted, wait))

    async def place(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, Placed]:
        """See ``Reader.place``."""
        return await self._on_thread(self._ensure_reader().place(list(partitions)))

    async def reposition(self, partition: TopicPartition, position: int) -> int:
        """See ``Reader.reposition``."""
        return await self._on_thread(self._ensure_reader().reposition(partition, position))

    async def commit_offsets(self, offsets: Mapping[TopicPartition, int], limit: float) -> bool:
        """See ``Reader.commit``."""
        return await self._on_thread(self._ensure_reader().commit(offsets, limit))

    async def ends(
        self, partitions: Iterable[TopicPartition]
    ) -> dict[TopicPartition, tuple[int, int]]:
        """See ``Reader.ends``."""
        return await self._on_thread(self._ensure_reader().ends(list(partitions)))

    async def committed(self, partition: TopicPartition) -> int | None:
        """See ``Reader.committed``."""
        return await self._on_thread(self._ensure_reader().committed(partition))

    def wake(self) -> None:
        """See ``Reader.wake``."""
        if self._reader is not None and not self.thread_loop.is_closed():
            self.thread_loop.call_soon_threadsafe(self._reader.wake)

    def check(self) -> None:
        """See ``Reader.check``."""
        if self._reader is not None:
            self._reader.check()

    def on_crash(self, msg: str, *fmt: Any, **_: Any) -> None:
        """Faust's prints a traceback on standard error, past the log."""
        del msg, fmt
        _log.error("the consumer's thread failed", exc_info=True)

    def _ensure_reader(self) -> Reader:
        if self._reader is None:
            raise ConsumerNotStarted("The consumer's thread has not started yet.")
        return self._reader

    async def _on_thread(self, work: Coroutine[Any, Any, _T]) -> _T:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self.thread_loop))
