"""The consumer's own thread: fetch, seek and commit on aiokafka's consumer.

Whatever decides between a fetch and a seek is decided here, without an await between, because
everything here runs on the one event loop of that thread and nothing else can come in between.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiokafka
from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)

from router.core.record import InRecord
from router.stream.lingering import Linger
from router.stream.partition import TopicPartition


@dataclass(frozen=True, slots=True)
class Fetched:
    """One partition's records, the offset at which its next fetch starts, and the log's end."""

    sequence: int
    records: list[InRecord]
    position: int
    end: int


@dataclass(frozen=True, slots=True)
class Gone:
    """``position`` was to be read next, and the log reaches from ``first`` to ``end`` alone."""

    sequence: int
    position: int
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a partition was put by a seek; ``committed`` is None for a group without an offset.
    ``position`` is past it where the records between are gone."""

    sequence: int
    position: int
    committed: int | None


class Reader:
    """One consumer's reading. All of it but ``check`` runs on the consumer's event loop."""

    def __init__(self, consumer: Any) -> None:
        self._consumer = consumer
        self._sequences: dict[TopicPartition, int] = {}
        self._count = itertools.count(1)
        self._fetching: asyncio.Task[Any] | None = None
        self._woken = False
        self._linger: Linger | None = None

    async def fetch(
        self, wanted: Mapping[TopicPartition, int], wait: float
    ) -> dict[Any, Fetched | Gone]:
        """What has come of the ``wanted`` partitions, after at most ``wait`` seconds.

        ``wanted`` has the sequence number that the asker knows; a partition that was moved since
        is left alone. Empty when ``wake`` or a seek cut it short.

        Raises:
            KafkaError: the broker refuses, or a record cannot be fetched at all.
        """
        consumer = self._consumer
        asked = {tp: seq for tp, seq in wanted.items() if self._sequences.get(tp) == seq}
        woken, self._woken = self._woken, False
        if woken or not asked:  # never an empty set: it would read as "all"
            return {}
        fetcher = consumer._fetcher
        self._linger = self._linger or Linger(fetcher)
        out_of_range: Mapping[Any, int] | None = None
        self._fetching = asyncio.current_task()
        try:
            with fetcher._subscriptions.fetch_context():
                found = await fetcher.fetched_records(
                    {_theirs(tp) for tp in asked}, timeout=wait, max_records=None
                )
        except asyncio.CancelledError:
            return {}  # nothing was taken yet: records are taken without an await after
        except NoOffsetForPartitionError:
            return {}  # from before the seek: a partition that is asked for has a place
        except OffsetOutOfRangeError as error:
            out_of_range = error.args[0]
        finally:
            self._fetching = None
        if out_of_range is not None:
            # Only now, when a wake or a seek does not cancel it: the fetch loop would end with it.
            ((tp, position),) = out_of_range.items()
            return await self._gone(tp, position, asked)
        if found:
            self._linger.found()
        return {TopicPartition(*tp): self._fetched(tp, asked, records)
                for tp, records in found.items()}  # fmt: skip

    async def _gone(
        self, tp: Any, position: int, asked: Mapping[TopicPartition, int]
    ) -> dict[Any, Fetched | Gone]:
        first = (await self._consumer.beginning_offsets([tp]))[tp]
        end = (await self._consumer.end_offsets([tp]))[tp]
        if first <= position <= end:
            return {}  # so said a broker that had just become the leader
        place = TopicPartition(*tp)
        return {place: Gone(asked[place], position, first, end)}

    def _fetched(
        self, tp: Any, asked: Mapping[TopicPartition, int], records: list[InRecord]
    ) -> Fetched:
        after = records[-1].source.offset + 1
        # Past markers that follow the records in the same fetch, too.
        position = max(after, self._position(tp) or after)
        state = self._state(tp)
        end = (state.lso if state.lso is not None else state.highwater) if state else None
        return Fetched(asked[TopicPartition(*tp)], records, position, max(after, end or after))

    async def ends(
        self, partitions: Sequence[TopicPartition]
    ) -> dict[TopicPartition, tuple[int, int]]:
        """Each partition's end as a read-committed consumer sees it, and where reading stands.

        Raises:
            KafkaError: the broker does not say.
        """
        ends = await self._consumer.end_offsets([_theirs(tp) for tp in partitions])
        return {TopicPartition(*tp): (end, self._position(tp) or 0) for tp, end in ends.items()}

    def _position(self, tp: Any) -> int | None:
        state = self._state(tp)
        return int(state.position) if state and state.has_valid_position else None

    def _state(self, tp: Any) -> Any:
        subscription = self._consumer._subscription.subscription
        assignment = subscription.assignment if subscription is not None else None
        if assignment is None or tp not in assignment.tps:
            return None
        return assignment.state_value(tp)

    async def place(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, Placed]:
        """Seek to what the group has committed, or to the beginning where it has nothing or that is
        gone.

        Raises:
            IllegalStateError: a partition was taken away meanwhile.
            KafkaError: the broker refuses.
        """
        consumer = self._consumer
        theirs = [_theirs(tp) for tp in partitions]
        beginnings = await consumer.beginning_offsets(theirs)
        committed = await asyncio.gather(*(consumer.committed(tp) for tp in theirs))
        # No await from here on. A fetch that is waiting would take records from the new place
        # under the old sequence number, and they would be thrown away.
        self._cancel_fetch()
        placed = {}
        for tp, known in zip(theirs, committed, strict=True):
            position = beginnings[tp] if known is None else known
            position = max(position, beginnings[tp])
            placed[TopicPartition(*tp)] = Placed(self._seek_to(tp, position), position, known)
        return placed

    async def committed(self, partition: TopicPartition) -> int | None:
        """The group's offset as its coordinator has it now; None where it has none.

        Raises:
            KafkaError: the broker refuses.
        """
        offset: int | None = await self._consumer.committed(_theirs(partition))
        return offset

    async def reposition(self, partition: TopicPartition, position: int) -> int:
        """Seek one partition to ``position``; gives its new sequence number."""
        self._cancel_fetch()
        return self._seek_to(_theirs(partition), position)

    def _seek_to(self, tp: Any, position: int) -> int:
        self._consumer.seek(tp, position)
        sequence = next(self._count)
        self._sequences[TopicPartition(*tp)] = sequence
        return sequence

    def wake(self) -> None:
        """Cut a waiting fetch short: there is room for a partition that it does not ask for."""
        # A fetch that was asked for and has not begun must not wait either.
        self._woken = self._fetching is None
        self._cancel_fetch()

    def check(self) -> None:
        """See whether the group membership still runs; nothing else would say so.

        Raises:
            KafkaError: it ended, with the reason.
        """
        consumer = self._consumer
        if consumer._closed or consumer._coordinator is None:
            return
        for task in (consumer._coordinator._coordination_task, consumer._fetcher._fetch_task):
            if task.done() and not task.cancelled():
                raise task.exception() or KafkaError("The group membership ended.")
        if consumer._coordinator._pending_exception is not None:
            raise consumer._coordinator._pending_exception

    def _cancel_fetch(self) -> None:
        if self._fetching is not None:
            self._fetching.cancel()

    async def commit(self, offsets: Mapping[TopicPartition, int], limit: float) -> bool:
        """Tell the group. False: it has rebalanced, or the broker did not answer in time.

        Raises:
            KafkaError: the broker refuses, and would again.
        """
        consumer = self._consumer
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
