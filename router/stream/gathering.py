"""One routing call at a time, and in it all that waits for one: slices of several partitions.

Where little comes to each of many partitions, a call for each would cost more than the work in it,
and so would a publication. What comes while a call is under way goes together into the next, and
is published while that one is routed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any

from router.core.line import Outcome
from router.core.record import InRecord
from router.errors import StreamError
from router.stream.partition import Slice
from router.stream.slices import SLICE_BYTES

Route = Callable[[Sequence[InRecord], float], list[Outcome]]
"""``core.line.Line.route``."""


@dataclass(slots=True, eq=False)
class Turn:
    """A slice and its way. ``outcomes`` are set once it is routed; of the slices of one call one
    ``leads``: the call's timings, which all of its outcomes carry, are counted with that one."""

    one: Slice
    done: asyncio.Future[bool]
    outcomes: Sequence[Outcome] = ()
    leads: bool = False


Publish = Callable[[Sequence[Turn]], Coroutine[Any, Any, None]]
"""Returns once the outcomes of all of them are acknowledged."""


class Gathering:
    """``executor`` has one thread: the model uses the cores. ``most`` is asked how many records a
    call may have, where it has more than one slice. The slices of a call are published
    ``together``, or each by itself."""

    def __init__(
        self,
        executor: Executor,
        route: Route,
        publish: Publish,
        most: Callable[[], int],
        *,
        together: bool,
    ) -> None:
        self._executor = executor
        self._route = route
        self._publish = publish
        self._most = most
        self._together = together
        self._waiting: deque[Turn] = deque()
        self._busy = False
        self._publishing: dict[asyncio.Task[None], Sequence[Turn]] = {}

    async def do(self, one: Slice) -> bool:
        """Route and publish ``one``, after what was handed in before of its partition. False: that
        was being taken away before its turn came, and nothing was done.

        Raises:
            StreamError: the line did not give one outcome for each record, or they are not
                published.
        """
        turn = Turn(one, asyncio.get_running_loop().create_future())
        self._waiting.append(turn)
        if not self._busy:
            self._begin()
        try:
            return await turn.done
        except asyncio.CancelledError:
            self._give_up()
            raise

    def _begin(self) -> None:
        turns = self._gathered()
        self._busy = bool(turns)
        if turns:
            loop = asyncio.get_running_loop()
            call = loop.run_in_executor(self._executor, self._call, turns)
            call.add_done_callback(partial(self._routed, turns))

    def _gathered(self) -> list[Turn]:
        """The next call's: the first that waits, and what fits in beside it."""
        turns: list[Turn] = []
        records, size = self._most(), SLICE_BYTES
        while self._waiting:
            turn = self._waiting[0]
            if turns and (len(turn.one.records) > records or turn.one.size > size):
                break
            self._waiting.popleft()
            if not turn.done.cancelled():
                turns.append(turn)
                records -= len(turn.one.records)
                size -= turn.one.size
        return turns

    def _call(self, turns: Sequence[Turn]) -> list[Turn]:
        """In the executor's thread: until now they were in line. Gives those that were routed."""
        taken = [turn for turn in turns if not turn.one.partition.closing]
        if not taken:
            return taken
        for turn in taken:
            turn.one.doing = "routing"
        records = [record for turn in taken for record in turn.one.records]
        outcomes = self._route(records, min(turn.one.fetched_at for turn in taken))
        if [outcome.source for outcome in outcomes] != [record.source for record in records]:
            raise StreamError("The line did not give one outcome for each record, in order.")
        taken[0].leads = True
        start = 0
        for turn in taken:
            end = start + len(turn.one.records)
            turn.outcomes = outcomes[start:end]
            start = end
        return taken

    def _routed(self, turns: Sequence[Turn], call: asyncio.Future[list[Turn]]) -> None:
        if call.cancelled() or call.exception() is not None:
            self._begin()
            _settle(turns, call)
            return
        taken = [turn for turn in call.result() if not turn.done.done()]
        for turn in taken:
            turn.one.routed()
        # After those that were just told hand in what came meanwhile.
        asyncio.get_running_loop().call_soon(self._begin)
        for turn in turns:
            if not turn.outcomes and not turn.done.done():
                turn.done.set_result(False)
        for group in [taken] if self._together else [[turn] for turn in taken]:
            if group:
                before = self._before(group)
                task = asyncio.get_running_loop().create_task(self._in_order(group, before))
                self._publishing[task] = group
                task.add_done_callback(self._published)

    def _before(self, group: Sequence[Turn]) -> list[asyncio.Task[None]]:
        """What is still being published of the same partitions."""
        partitions = {turn.one.partition for turn in group}
        return [
            task
            for task, turns in self._publishing.items()
            if any(turn.one.partition in partitions for turn in turns)
        ]

    async def _in_order(self, group: Sequence[Turn], before: Sequence[asyncio.Task[None]]) -> None:
        if before:
            await asyncio.wait(before)
            for task in before:
                task.result()  # what comes after a failure is not published
        # A failure may have been told just before this was begun: then it stopped these, too.
        if not all(turn.done.done() for turn in group):
            await self._publish(group)

    def _published(self, task: asyncio.Task[None]) -> None:
        _settle(self._publishing.pop(task), task)

    def _give_up(self) -> None:
        """What nobody waits for any more is published no further."""
        for task, turns in self._publishing.items():
            if all(turn.done.cancelled() for turn in turns):
                task.cancel()


def _settle(turns: Sequence[Turn], by: asyncio.Future[Any]) -> None:
    """Tell ``turns`` how it ended."""
    error = None if by.cancelled() else by.exception()
    for turn in turns:
        if turn.done.done():
            continue
        if by.cancelled():
            turn.done.cancel()
        elif error is not None:
            turn.done.set_exception(error)
        else:
            turn.done.set_result(True)
