"""Other models while the worker works: looked for and loaded in a thread of their own."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import Protocol, Self

import structlog

from router.core.choosing import ModelSet
from router.core.policy import Policy
from router.ops.model_watch import ModelWatches
from router.stream.work import Routing, RoutingLine

THREAD = "model looks"
"""The name of the thread: one that loads a model at the end must not be waited for."""

_log = structlog.get_logger("router.worker")


class Following(Protocol):
    """Knows which models are to be in force."""

    def look(self) -> ModelSet | None:
        """What is to be in force now, or None where nothing has changed. May take as long as
        loading a model does. Never raises."""
        ...


class FollowingLine(RoutingLine, Protocol):
    """``core.line.Line``."""

    @property
    def policy(self) -> Policy: ...

    @property
    def models(self) -> ModelSet: ...

    def with_models(self, models: ModelSet) -> Self: ...


class Looks:
    """Looks every so many seconds, and swaps; a context manager that does so until its end."""

    def __init__(
        self,
        following: Following | None,
        seconds: float,
        line: FollowingLine,
        work: Routing,
        watches: ModelWatches,
    ) -> None:
        """``work`` is done by ``line``. Without ``following`` it stays so."""
        self._following = following
        self._seconds = seconds
        self._line = line
        self._work = work
        self._watches = watches
        self._loop = asyncio.get_running_loop()
        self._over = threading.Event()

    def __enter__(self) -> None:
        if self._following is not None:
            # A daemon: loading a model cannot be called off, and is no reason to stay.
            threading.Thread(
                target=self._run, args=(self._following,), name=THREAD, daemon=True
            ).start()

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def _run(self, following: Following) -> None:
        while not self._over.wait(self._seconds):
            try:
                models = following.look()
            except BaseException as error:  # a library's panic is no Exception
                _log.error("the models could not be looked for", cause=type(error).__name__)
                continue
            if models is not None and not self._over.is_set():
                with suppress(RuntimeError):  # the loop has ended meanwhile
                    self._loop.call_soon_threadsafe(self._swap, models)

    def _swap(self, models: ModelSet) -> None:
        """On the event loop. A slice that is being routed is so to its end by the line that it
        began with; the next one finds the new."""
        before, self._line = self._line.models, self._line.with_models(models)
        self._work.line = self._line
        self._watches.swapped(before, models)
