"""One routing call at a time, and in it all that waits for one: slices of several partitions.

Where little comes to each of many partitions, a call for each would cost more than the work in it.
What comes while a call is under way goes together into the next.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from router.core.line import Outcome
from router.core.record import InRecord
from router.errors import StreamError
from router.stream.partition import Partition
from router.stream.slices import SLICE_BYTES

Route = Callable[[Sequence[InRecord], float], list[Outcome]]
"""``core.line.Line.route``."""


class Routed(NamedTuple):
    """A slice's outcomes. Of the slices of one call one ``leads``: the call's timings, which all of
    its outcomes carry, are counted with that one."""

    outcomes: list[Outcome]
    leads: bool


@dataclass(slots=True, eq=False)
class _Turn:
    partition: Partition
    records: Sequence[InRecord]
    fetched_at: float
    size: int
    done: asyncio.Future[Routed | None]


class Gathering:
    """``executor`` has one thread: the model uses the cores. ``most`` is asked how many records a
    call may have, where it has more than one slice."""

    def __init__(self, executor: Executor, route: Route, most: Callable[[], int]) -> None:
        self._executor = executor
        self._route = route
        self._most = most
        self._waiting: deque[_Turn] = deque()
        self._busy = False

    async def routed(
        self, partition: Partition, records: Sequence[InRecord], fetched_at: float
    ) -> Routed | None:
        """What becomes of ``records``. None: the partition was being taken away before their turn
        came, and nothing was done.

        Raises:
            StreamError: the line did not give one outcome for each.
        """
        size = sum(len(record.value or b"") for record in records)
        done = asyncio.get_running_loop().create_future()
        turn = _Turn(partition, records, fetched_at, size, done)
        self._waiting.append(turn)
        if not self._busy:
            self._begin()
        return await turn.done

    def _begin(self) -> None:
        if turns := self._gathered():
            self._busy = True
            loop = asyncio.get_running_loop()
            call = loop.run_in_executor(self._executor, self._call, turns)
            call.add_done_callback(partial(self._ended, turns))

    def _gathered(self) -> list[_Turn]:
        """The next call's: the first that waits, and what fits in beside it."""
        turns: list[_Turn] = []
        records, size = self._most(), SLICE_BYTES
        while self._waiting:
            turn = self._waiting[0]
            if turns and (len(turn.records) > records or turn.size > size):
                break
            self._waiting.popleft()
            if not turn.done.cancelled():
                turns.append(turn)
                records -= len(turn.records)
                size -= turn.size
        return turns

    def _call(self, turns: Sequence[_Turn]) -> list[Routed | None]:
        """In the executor's thread: until now they were in line."""
        taken = [turn for turn in turns if not turn.partition.closing]
        if not taken:
            return [None] * len(turns)
        for turn in taken:
            turn.partition.slice_doing = "routing"
        records = [record for turn in taken for record in turn.records]
        outcomes = self._route(records, min(turn.fetched_at for turn in taken))
        if [outcome.source for outcome in outcomes] != [record.source for record in records]:
            raise StreamError("The line did not give one outcome for each record, in order.")
        found: dict[_Turn, Routed] = {}
        start = 0
        for turn in taken:
            end = start + len(turn.records)
            found[turn] = Routed(outcomes[start:end], leads=not found)
            start = end
        return [found.get(turn) for turn in turns]

    def _ended(self, turns: Sequence[_Turn], call: asyncio.Future[list[Routed | None]]) -> None:
        self._busy = False
        self._begin()  # first of all: meanwhile the thread is idle
        if call.cancelled():
            for turn in turns:
                turn.done.cancel()
            return
        error = call.exception()
        for place, turn in enumerate(turns):
            if turn.done.done():
                continue
            if error is not None:
                turn.done.set_exception(error)
            else:
                turn.done.set_result(call.result()[place])
