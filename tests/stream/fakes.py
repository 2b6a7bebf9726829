"""Records, producers and work that tests of the stream share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from router.core.record import InRecord, Source
from router.stream.partition import Partition, Slice, TopicPartition

CHAT = TopicPartition("messages.chat", 0)


def record(offset: int, value: bytes | None = b"{}", tp: TopicPartition = CHAT) -> InRecord:
    return InRecord(
        source=Source(tp.topic, tp.partition, offset),
        key=b"conversation",
        value=value,
        headers=(),
        broker_time=1000.0 + offset,
    )


def records(start: int, stop: int, tp: TopicPartition = CHAT) -> list[InRecord]:
    return [record(offset, tp=tp) for offset in range(start, stop)]


def partition(tp: TopicPartition = CHAT, position: int = 0) -> Partition:
    return Partition(tp, sequence=1, position=position)


def slice_of(
    given: Sequence[InRecord], state: Partition | None = None, fetched_at: float = 0.0
) -> Slice:
    size = sum(len(one.value or b"") for one in given)
    return Slice(state or partition(), given, fetched_at, size)


class Hands:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.time = 1000.0

    def now(self) -> float:
        return self.time

    monotonic = now


class FakeBatch:
    """A batch that is full after ``most`` records."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.appended: list[tuple[bytes | None, bytes | None, list[Any]]] = []

    def append(self, *, timestamp: Any, key: Any, value: Any, headers: Any) -> object | None:
        if len(self.appended) >= self.most:
            return None
        self.appended.append((key, value, headers))
        return object()

    def size(self) -> int:
        return sum(len(key or b"") + len(value or b"") + 64 for key, value, _ in self.appended)

    def close(self) -> None:
        """Nothing more comes."""


Answer = Callable[[str, int, FakeBatch], BaseException | None]


class FakeProducer:
    """Acknowledges what ``answer`` has nothing against; ``log`` is what is on the topics."""

    def __init__(
        self, answer: Answer = lambda topic, partition, batch: None, most: int = 1000
    ) -> None:
        self.answer = answer
        self.most = most
        self.partitions = 3
        self.log: list[tuple[str, int, bytes | None, bytes | None]] = []
        self.sends: list[tuple[str, int, int]] = []
        self.held: asyncio.Event | None = None
        self.side_by_side: list[set[tuple[str, int]]] = []
        self._out: set[tuple[str, int]] = set()

    def create_batch(self) -> FakeBatch:
        return FakeBatch(self.most)

    async def partitions_for(self, topic: str) -> set[int]:
        return set(range(self.partitions))

    async def send_batch(self, batch: FakeBatch, topic: str, *, partition: int) -> Awaitable[Any]:
        self.sends.append((topic, partition, len(batch.appended)))
        assert (topic, partition) not in self._out, "two batches of one partition side by side"
        self._out.add((topic, partition))
        return asyncio.ensure_future(self._deliver(batch, topic, partition))

    async def _deliver(self, batch: FakeBatch, topic: str, partition: int) -> None:
        await asyncio.sleep(0)
        if self.held is not None:
            await self.held.wait()
        self._out.discard((topic, partition))
        if (error := self.answer(topic, partition, batch)) is not None:
            raise error
        self.log += [(topic, partition, key, value) for key, value, _ in batch.appended]


class FakeProducers:
    """A ``Renewable`` that counts its renewals; each new one is made by ``make``."""

    def __init__(self, make: Callable[[], FakeProducer] = FakeProducer) -> None:
        self._make = make
        self.current = make()
        self.renewals = 0

    async def renew(self, broken: object) -> None:
        assert broken is self.current
        self.renewals += 1
        self.current = self._make()


class FakeConsumer:
    """aiokafka's consumer as far as it matters: logs, positions, and a fetch that waits for
    ``arrival`` and then takes what stands at the position without a further await."""

    def __init__(self, **logs: int) -> None:
        self.ends = {TopicPartition("messages.chat", int(n[1:])): end for n, end in logs.items()}
        self.positions = dict.fromkeys(self.ends, 0)
        self.group: dict[TopicPartition, int] = {}
        self.first = 0
        self.arrival = asyncio.Event()
        self.asked: list[set[TopicPartition]] = []
        self.commit_error: Exception | None = None
        self.fetch_error: Exception | None = None
        self._fetcher = self
        self._fetch_max_wait_ms, self._fetch_min_bytes = 500, 1
        self._subscriptions = self
        self._subscription = SimpleNamespace(
            subscription=SimpleNamespace(
                assignment=SimpleNamespace(tps=set(self.ends), state_value=self._state)
            )
        )

    def _state(self, tp: TopicPartition) -> Any:
        return SimpleNamespace(
            position=self.positions[tp], has_valid_position=True, lso=self.ends[tp], highwater=0
        )

    @contextmanager
    def fetch_context(self) -> Iterator[None]:
        yield

    async def fetched_records(
        self,
        partitions: set[TopicPartition],
        timeout: float,  # noqa: ASYNC109  # aiokafka's signature
        max_records: int | None,
    ) -> dict[TopicPartition, list[Any]]:
        assert partitions
        self.asked.append(partitions)
        try:
            await asyncio.wait_for(self.arrival.wait(), timeout)
        except TimeoutError:
            return {}
        if self.fetch_error is not None:
            raise self.fetch_error
        found = {}
        for tp in partitions:
            if self.positions[tp] < self.ends[tp]:
                offsets = range(self.positions[tp], self.ends[tp])
                found[tp] = [record(offset, tp=TopicPartition(*tp)) for offset in offsets]
                self.positions[tp] = self.ends[tp]
        return found

    async def beginning_offsets(
        self, partitions: Sequence[TopicPartition]
    ) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, self.first)

    async def end_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return {tp: self.ends[tp] for tp in partitions}

    async def committed(self, tp: TopicPartition) -> int | None:
        return self.group.get(tp)

    def seek(self, tp: TopicPartition, offset: int) -> None:
        self.positions[tp] = offset

    def assignment(self) -> set[TopicPartition]:
        return set(self.ends)

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        if self.commit_error is not None:
            raise self.commit_error
        self.group |= offsets


class GatedWork:
    """A ``SliceWork`` that waits for ``gate`` in every slice, and may raise."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.begun: list[tuple[str, int, list[int]]] = []
        self.done: list[tuple[str, int, list[int]]] = []
        self.error: BaseException | None = None
        self.declines = False

    async def do(self, one: Slice) -> bool:
        entry = (*one.partition.tp, [record.source.offset for record in one.records])
        self.begun.append(entry)
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        if self.declines:
            return False
        self.done.append(entry)
        return True


async def until(condition: Callable[[], bool], within: float = 5.0) -> None:
    """Let the loop turn until ``condition`` holds."""
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110 - the condition has no event of its own
            await asyncio.sleep(0.001)
