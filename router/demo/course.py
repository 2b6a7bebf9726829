"""One run on a broker that is there: topics, worker, traffic, and what became of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from router.core.topics import DEAD_LETTER, IGNORED, REVIEW
from router.demo.broker import EmbeddedBroker
from router.demo.ledger import Ledger
from router.demo.schedule import Planned
from router.demo.screen import Screen
from router.demo.summary import Summary, summarise
from router.demo.topics import demo_topics
from router.demo.traffic import emit
from router.demo.watch import Watch
from router.demo.worker import Worker
from router.errors import RouterError
from router.settings import Settings
from router.stream.security import client_options

_PATIENCE = 20.0
"""Seconds without any new outcome after which what is missing counts as lost."""

_METRICS_WITHIN = 5.0
_REFRESH = 0.2
_POLL = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What one run needs. ``fresh``: the topics are this run's alone; ``remove``: take those away
    at the end that it created."""

    settings: Settings
    queues: Sequence[str]
    planned: Sequence[Planned]
    seed: int
    worker: Worker
    broker: EmbeddedBroker | None
    screen: Screen
    fresh: bool
    remove: bool
    ledger: Ledger = field(default_factory=Ledger)

    async def run(self) -> Summary:
        """From the topics to the summary.

        Raises:
            RouterError: the broker, the topics or the worker failed.
        """
        async with demo_topics(self.settings, self.queues, remove=self.remove) as count:
            self.screen.say(f"{count} topics are there")
            watch = Watch(self.ledger, self.settings.topics(), self.queues, self._client())
            try:
                await watch.start()
                return await self._watched(watch)
            finally:
                await watch.stop()

    async def _watched(self, watch: Watch) -> Summary:
        begun = time.monotonic()
        self.screen.say("starting a worker")
        self.worker.start()
        await self.worker.ready()
        self.screen.say(f"the worker is ready after {time.monotonic() - begun:.1f} s")
        begun = time.monotonic()
        with self.screen:
            await self._traffic(watch)
        seconds = time.monotonic() - begun
        consumed = await self._consumed() if self.fresh else None
        self.screen.say("stopping the worker (SIGTERM)")
        status = await self.worker.stop()
        return summarise(
            self.ledger,
            (*self.queues, REVIEW, DEAD_LETTER, IGNORED),
            consumed=consumed,
            worker_exit=status,
            seconds=seconds,
            seed=self.seed,
            broker=self.settings.broker,
            topic_prefix=self.settings.topic_prefix,
            worker_log=self.worker.log() if status else "",
        )

    async def _traffic(self, watch: Watch) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                background = [
                    group.create_task(watch.run()),
                    group.create_task(self._minding()),
                    group.create_task(self._refreshing()),
                ]
                await emit(
                    self.planned,
                    self.settings.topics(),
                    self.ledger,
                    self._client(),
                    max_event_bytes=self.settings.max_event_bytes,
                )
                await self._settled()
                for task in background:
                    task.cancel()
        except ExceptionGroup as group_error:
            raise _first(group_error) from None
        self.screen.refresh(self.ledger, len(self.planned))

    async def _minding(self) -> None:
        while True:
            if self.broker is not None:
                self.broker.check()
            self.worker.check()
            await asyncio.sleep(_POLL)

    async def _refreshing(self) -> None:
        while True:
            self.screen.refresh(self.ledger, len(self.planned))
            await asyncio.sleep(_REFRESH)

    async def _settled(self) -> None:
        """Until everything has its outcome, or nothing has come for a long while."""
        left, since = len(self.ledger.missing()), time.monotonic()
        while left and time.monotonic() - since < _PATIENCE:
            await asyncio.sleep(_POLL)
            if (now := len(self.ledger.missing())) != left:
                left, since = now, time.monotonic()

    async def _consumed(self) -> int:
        """The worker counts a record when its decision is acknowledged, which we may see sooner."""
        expected = self.ledger.decided + self.ledger.repeats
        deadline = time.monotonic() + _METRICS_WITHIN
        while (count := await self.worker.consumed()) < expected:
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(_POLL)
        return count

    def _client(self) -> dict[str, Any]:
        return {"bootstrap_servers": self.settings.broker, **client_options(self.settings)}


def _first(group: BaseExceptionGroup[Exception]) -> Exception:
    """The project's own error where there is one: it has the words."""
    leaves = list(_leaves(group))
    return next((leaf for leaf in leaves if isinstance(leaf, RouterError)), leaves[0])


def _leaves(group: BaseExceptionGroup[Exception]) -> Iterator[Exception]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
