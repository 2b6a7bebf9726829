"""The worker's side of its board: what it is at, and holding where it is told to.

Wrapped around the stream from outside; nothing in ``router/`` knows of it. A name that is gone from
there shows as a phase in which no kill could be placed, which a run refuses.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any

import aiokafka

from router.stream.consumer import BatchConsumer
from router.stream.delivery import AtLeastOnce
from router.stream.exactly_once import ExactlyOnce
from router.stream.gathering import Turn
from router.stream.partition import Slice
from router.stream.thread import BatchThread
from router.stream.work import Routing
from tests.chaos.board import Board, Moment, Phase

_HOLD_SECONDS = 3.0
_LOOK = 0.002


class _Slice:
    """One slice on its way; it is at one phase at a time."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self.phase: Phase | None = None
        self._over = False

    def enter(self, phase: Phase | None) -> None:
        if phase is self.phase or self._over:
            return
        before, self.phase = self.phase, phase
        if phase is not None:  # first, so that it is never at none
            self._board.begin(phase)
        if before is not None:
            self._board.end(before)

    def end(self) -> None:
        """For good: who publishes it may notice later that nobody waits for it."""
        self.enter(None)
        self._over = True


class _Publication:
    """The slices that go out together."""

    def __init__(self, slices: Sequence[_Slice]) -> None:
        self._slices = slices
        self.begun = False
        """Something of it was sent."""

    def enter(self, phase: Phase) -> None:
        self.begun = True
        for one in self._slices:
            one.enter(phase)


_current: ContextVar[_Publication | None] = ContextVar("publication", default=None)


def report_to(board: Board) -> None:
    """From now on, this process' stream writes to ``board``; once a process."""
    _report_slices(board)
    _report_transactions(board)
    _report_commits(board)
    _report_rebalances(board)
    _report_idling(board)


async def _hold(board: Board, phase: Phase, moment: Moment) -> None:
    """Until the killer has done it or lets go, or for a few seconds."""
    if not board.holds(phase, moment):
        return
    board.spring()
    until = time.monotonic() + _HOLD_SECONDS
    while board.holds(phase, moment) and time.monotonic() < until:  # noqa: ASYNC110  # a process
        await asyncio.sleep(_LOOK)


async def _through(board: Board, phase: Phase, call: Callable[[], Any]) -> Any:
    await _hold(board, phase, Moment.BEFORE)
    if board.holds(phase, Moment.THROUGH):
        board.spring()
    result = await call()
    await _hold(board, phase, Moment.THROUGH)
    return result


def _wrap(owner: Any, name: str, wrapper: Callable[..., Any]) -> None:
    """Put ``wrapper(original, self, *args, **kwargs)`` in the place of a method."""
    original = getattr(owner, name)

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return wrapper(original, self, *args, **kwargs)

    setattr(owner, name, method)


def _report_slices(board: Board) -> None:
    under_way: dict[Slice, _Slice] = {}

    async def do(original: Any, self: Any, one: Slice) -> Any:
        state = under_way[one] = _Slice(board)
        state.enter(Phase.BEFORE_SEND)
        try:
            await _hold(board, Phase.BEFORE_SEND, Moment.BEFORE)
            return await original(self, one)
        finally:
            del under_way[one]
            state.end()

    async def publish(original: Any, self: Any, turns: Sequence[Turn]) -> Any:
        states = [under_way[turn.one] for turn in turns if turn.one in under_way]
        _current.set(_Publication(states))
        return await original(self, turns)

    async def send_batch(original: Any, *args: Any, **kwargs: Any) -> Any:
        publication = _current.get()
        if publication is None:
            return await original(*args, **kwargs)
        if not publication.begun:
            await _hold(board, Phase.BEFORE_SEND, Moment.THROUGH)
            publication.enter(Phase.SENDING)
        return await _through(board, Phase.SENDING, lambda: original(*args, **kwargs))

    _wrap(Routing, "do", do)
    _wrap(Routing, "_publish", publish)
    _wrap(aiokafka.AIOKafkaProducer, "send_batch", send_batch)


def _report_transactions(board: Board) -> None:
    def reporting(phase: Phase) -> Callable[..., Any]:
        async def step(original: Any, *args: Any, **kwargs: Any) -> Any:
            publication = _current.get()
            if publication is not None:
                publication.enter(phase)
            return await _through(board, phase, lambda: original(*args, **kwargs))

        return step

    producer = aiokafka.AIOKafkaProducer
    _wrap(producer, "send_offsets_to_transaction", reporting(Phase.BEFORE_COMMIT))
    _wrap(producer, "commit_transaction", reporting(Phase.IN_COMMIT))


def _report_commits(board: Board) -> None:
    """In at-least-once what is published stays uncommitted until the consumer's next commit."""
    uncommitted = _Slice(board)

    async def publish(original: Any, *args: Any, **kwargs: Any) -> Any:
        result = await original(*args, **kwargs)
        uncommitted.enter(Phase.BEFORE_COMMIT)
        await _hold(board, Phase.BEFORE_COMMIT, Moment.BEFORE)
        await _hold(board, Phase.BEFORE_COMMIT, Moment.THROUGH)
        return result

    async def commit(original: Any, *args: Any, **kwargs: Any) -> Any:
        one = _Slice(board)
        one.enter(Phase.IN_COMMIT)
        uncommitted.enter(None)
        try:
            return await _through(board, Phase.IN_COMMIT, lambda: original(*args, **kwargs))
        finally:
            one.enter(None)

    _wrap(AtLeastOnce, "publish", publish)
    _wrap(aiokafka.AIOKafkaConsumer, "commit", commit)


def _report_rebalances(board: Board) -> None:
    rebalance = _Slice(board)

    async def revoked(original: Any, *args: Any, **kwargs: Any) -> Any:
        rebalance.enter(Phase.REBALANCE)
        await _hold(board, Phase.REBALANCE, Moment.BEFORE)
        return await original(*args, **kwargs)

    async def seek(original: Any, *args: Any, **kwargs: Any) -> Any:
        rebalance.enter(Phase.REBALANCE)
        await _hold(board, Phase.REBALANCE, Moment.BEFORE)
        return await original(*args, **kwargs)

    async def assigned(original: Any, *args: Any, **kwargs: Any) -> Any:
        """The former owner is fenced, the group's offsets are not read yet."""
        return await _through(board, Phase.REBALANCE, lambda: original(*args, **kwargs))

    def resume(original: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        board.join()
        rebalance.enter(None)
        return result

    _wrap(BatchConsumer, "on_partitions_revoked", revoked)
    _wrap(BatchConsumer, "perform_seek", seek)
    _wrap(BatchConsumer, "resume_flow", resume)
    for delivery in (AtLeastOnce, ExactlyOnce):
        _wrap(delivery, "assigned", assigned)


def _report_idling(board: Board) -> None:
    """Told to be idle it fetches nothing more until all is done and committed."""

    async def fetch(original: Any, self: Any, *args: Any, **kwargs: Any) -> Any:
        until = time.monotonic() + _HOLD_SECONDS
        consumer = self.consumer
        while _told_to_idle(board) and time.monotonic() < until:
            if board.quiet and not any(one.out for one in consumer.partitions.values()):
                for moment in Moment:
                    await _hold(board, Phase.IDLE, moment)
                break
            await asyncio.sleep(_LOOK)  # nothing tells
        return await original(self, *args, **kwargs)

    _wrap(BatchThread, "fetch", fetch)


def _told_to_idle(board: Board) -> bool:
    return any(board.holds(Phase.IDLE, moment) for moment in Moment)
