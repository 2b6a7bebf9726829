"""A coroutine run to its end, to Ctrl-C, or to a second Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """As ``asyncio.run``: the first Ctrl-C cancels ``main``, which may put things in order; the
    second leaves at once.

    ``asyncio.run`` raises the second in whichever task is at work. One of a library then ends with
    a ``KeyboardInterrupt`` that nobody retrieves, and a traceback on the terminal tells of it. Here
    it is raised between the tasks.

    Raises:
        KeyboardInterrupt: Ctrl-C.
    """
    with asyncio.Runner() as runner:
        ctrl_c = CtrlC()
        # Whoever started the program may have it ignored.
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            runner.get_loop().add_signal_handler(signal.SIGINT, ctrl_c.heard)
        try:
            return runner.run(ctrl_c.cancelling(main))
        except asyncio.CancelledError:
            if ctrl_c.times:
                raise KeyboardInterrupt from None
            raise


class CtrlC:
    """How often it was pressed, and what it cancels."""

    def __init__(self) -> None:
        self.times = 0
        self._task: asyncio.Task[Any] | None = None

    async def cancelling(self, main: Coroutine[Any, Any, T]) -> T:
        """Await ``main``, which the first Ctrl-C cancels."""
        self._task = asyncio.current_task()
        return await main

    def heard(self) -> None:
        """Once more.

        Raises:
            KeyboardInterrupt: it is not the first.
        """
        self.times += 1
        if self.times > 1 or self._task is None:
            raise KeyboardInterrupt
        self._task.cancel()
