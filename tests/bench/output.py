"""What a program has published, by the broker's own clock: nothing is read while it works.

Output topics stamp records as they are appended, so that the rate is told afterwards by asking
which offset stood where at what time; while the program works only the ends are asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Self

from aiokafka import AIOKafkaConsumer, TopicPartition

_TAIL = 8
"""Of the last offsets of a partition one is a record: a transaction ends with one marker."""


class Span(NamedTuple):
    """``records`` were appended after ``since`` and until ``until``, in seconds since 1970;
    the first of the whole run at ``first``."""

    first: float
    since: float
    until: float
    records: int


class Output:
    """A topic of a run's own, read as committed; an async context manager."""

    def __init__(self, broker: str, topic: str, partitions: int) -> None:
        self._places = [TopicPartition(topic, number) for number in range(partitions)]
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=broker,
            isolation_level="read_committed",
            enable_auto_commit=False,
        )

    async def __aenter__(self) -> Self:
        await self._consumer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    async def ends(self) -> int:
        """Offsets that are readable now; more than records where there are transactions."""
        return sum((await self._ends()).values())

    async def span(self, skip: float, *, transactions: bool) -> Span | None:
        """The run without its first ``skip`` of the time between its first and its last record;
        None where it has no two times in it.

        It begins with a record's time, and that is the last one of those skipped: what comes next
        was worked on from then on, also where several partitions' batches come out together.
        """
        ends = {place: end for place, end in (await self._ends()).items() if end}
        self._consumer.assign(list(ends))  # only now: it would fetch in the background
        times = [
            *await self._times(dict.fromkeys(ends, 0), ends),
            *await self._times({place: end - _TAIL for place, end in ends.items()}, ends),
        ]
        if not times:
            return None
        first, last = min(times), max(times)
        starts = await self._after(ends, first + int((last - first) * skip))
        skipped = await self._times({p: at - _TAIL for p, at in starts.items()}, starts)
        since = max(skipped)
        if last <= since:
            return None
        count = sum(ends[place] - start for place, start in starts.items())
        if transactions:
            count = await self._records(starts, ends)
        return Span(first / 1000, since / 1000, last / 1000, count)

    async def _ends(self) -> dict[TopicPartition, int]:
        found: dict[TopicPartition, int] = await self._consumer.end_offsets(self._places)
        return found

    async def _after(
        self, ends: Mapping[TopicPartition, int], at: int
    ) -> dict[TopicPartition, int]:
        """Where the first record later than ``at`` stands in each partition, or its end."""
        found = await self._consumer.offsets_for_times(dict.fromkeys(ends, at + 1))
        return {
            place: min(found[place].offset, end) if found.get(place) else end
            for place, end in ends.items()
        }

    async def _times(
        self, starts: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
    ) -> list[int]:
        """The times of the first few records of each partition from its start on, before its
        end."""
        times: list[int] = []
        for place, start in starts.items():
            self._consumer.seek(place, max(0, start))
            found = 0
            while found < _TAIL and await self._consumer.position(place) < ends[place]:
                got = await self._consumer.getmany(place, timeout_ms=200, max_records=_TAIL)
                records = got.get(place, ())
                times += [record.timestamp for record in records if record.offset < ends[place]]
                found += len(records)
        return times

    async def _records(
        self, starts: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
    ) -> int:
        for place, start in starts.items():
            self._consumer.seek(place, start)
        left, count = {place for place, start in starts.items() if start < ends[place]}, 0
        while left:
            found = await self._consumer.getmany(*left, timeout_ms=200)
            for place, records in found.items():
                count += sum(record.offset < ends[place] for record in records)
            left = {p for p in left if await self._consumer.position(p) < ends[p]}
        return count
