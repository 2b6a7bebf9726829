"""The batch consumer between Faust and the lanes, with the broker's side played."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

from router.ops.clock import SystemClock
from router.ops.health import Health
from router.ops.metrics import Metrics
from router.settings import Settings
from router.stream.app import StreamApp, consumer_of, make_app, make_lanes, producer_of
from router.stream.capabilities import Capabilities
from router.stream.consumer import BatchConsumer
from router.stream.delivery import AtLeastOnce
from router.stream.partition import TopicPartition
from router.stream.reader import Fetched, Gone, Placed
from router.stream.runtime import Runtime
from tests.stream.fakes import CHAT, GatedWork, record

SETTINGS = Settings(batch_records=2, drain_timeout=1, request_timeout=5, session_timeout=6)


class FakeThread:
    """A broker with one log for each assigned partition, and a group."""

    def __init__(self, tps: Iterable[TopicPartition]) -> None:
        self.assigned = set(tps)
        self.group: dict[TopicPartition, int] = {}
        self.positions: dict[TopicPartition, int] = {}
        self.moves: list[tuple[TopicPartition, int]] = []
        self.commit_error: Exception | None = None
        self.commits = True
        self.place_error: BaseException | None = None
        self.results: asyncio.Queue[dict[TopicPartition, Fetched | Gone]] = asyncio.Queue()
        self.asked: list[Mapping[TopicPartition, int]] = []
        self.first = 0
        self._sequence = 0

    async def place(self, tps: Iterable[TopicPartition]) -> dict[TopicPartition, Placed]:
        if self.place_error is not None:
            raise self.place_error
        placed = {}
        for tp in tps:
            self._sequence += 1
            known = self.group.get(tp)
            placed[tp] = Placed(self._sequence, max(known or 0, self.first), known)
        return placed

    async def reposition(self, tp: TopicPartition, position: int) -> int:
        self._sequence += 1
        self.moves.append((tp, position))
        return self._sequence

    async def commit_offsets(self, offsets: Mapping[TopicPartition, int], limit: float) -> bool:
        if self.commit_error is not None:
            raise self.commit_error
        if not self.commits:
            return False
        self.group |= offsets
        return True

    async def fetch(
        self, wanted: Mapping[TopicPartition, int], wait: float
    ) -> dict[TopicPartition, Fetched | Gone]:
        self.asked.append(dict(wanted))
        return await self.results.get()

    def wake(self) -> None:
        """A real fetch would return."""

    def assignment(self) -> set[TopicPartition]:
        return self.assigned


@dataclass
class Bench:
    app: StreamApp
    runtime: Runtime
    consumer: BatchConsumer
    thread: FakeThread
    work: GatedWork
    delivered: list[Any]

    async def take_over(self) -> None:
        await self.consumer.perform_seek()
        self.consumer.resume_flow()

    def fetched(
        self, start: int, stop: int, sequence: int | None = None, value: bytes = b"{}"
    ) -> Fetched:
        now = self.consumer.partitions[CHAT].sequence
        found = [record(offset, value) for offset in range(start, stop)]
        return Fetched(sequence or now, found, stop, stop)

    async def deliver(self, start: int, stop: int, sequence: int | None = None) -> None:
        await self.consumer._deliver({CHAT: self.fetched(start, stop, sequence)})


@asynccontextmanager
async def open_bench() -> AsyncIterator[Bench]:
    """One that has ``CHAT`` assigned and has not taken it over yet."""
    runtime = Runtime(SETTINGS, SystemClock(), Metrics(), Health())
    app = make_app(runtime, SETTINGS.topics(), Capabilities(False, False))
    runtime.delivery = AtLeastOnce(producer_of(app), 5)
    work = GatedWork()
    runtime.lanes = make_lanes(runtime, app, work)
    consumer = consumer_of(app)
    consumer._thread.thread_loop.close()
    thread = FakeThread([CHAT])
    consumer._thread = cast(Any, thread)
    delivered: list[Any] = []

    async def callback(message: Any) -> None:
        delivered.append(message)
        for batch in message.batches:
            runtime.lanes.put(batch)

    consumer.callback = callback
    yield Bench(app, runtime, consumer, thread, work, delivered)
    runtime.lanes.close()
    if runtime.failed.done():
        runtime.failed.exception()
    await asyncio.sleep(0)
