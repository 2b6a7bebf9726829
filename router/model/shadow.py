"""The shadow's thread: it asks a second model about what is decided, when there is time.

It never holds a batch up: what comes while it is behind is dropped and counted, and its thread
gives way to the others for the processor.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from router.core.asking import Ask, OnFault
from router.core.choosing import Close
from router.core.circumstances import Circumstances
from router.core.prediction import Classifier, Question
from router.core.shadowing import Aside, agrees, asks_shadow

ROOM = 2048
"""Most messages that wait for the shadow; texts of this many are held in memory at most."""

SLICE = 32
"""Most texts of one call: a short call is soon out of the way, and soon given up."""

_LOWEST_PRIORITY = 19


class ShadowWatch(Protocol):
    """Told, from any thread, what came of the messages offered."""

    def compared(self, agreeing: int, others: int) -> None:
        """So many would have gone to the same queue, so many to another."""
        ...

    def dropped(self, messages: int) -> None:
        """So many were not compared: the shadow was behind, or gave no answer."""
        ...


class ShadowThread:
    """A `router.core.shadowing.Shadow`."""

    def __init__(
        self,
        classifier: Classifier,
        ask: Ask,
        watch: ShadowWatch,
        on_fault: OnFault,
        close: Close,
    ) -> None:
        """``ask`` must end in time, as a guard's does; ``close`` ends what it keeps going."""
        self.classifier = classifier
        self._ask = ask
        self._watch = watch
        self._on_fault = on_fault
        self._end = close
        self._waiting: queue.SimpleQueue[tuple[Sequence[Aside], Circumstances] | None]
        self._waiting = queue.SimpleQueue()
        self._room = ROOM
        self._lock = threading.Lock()
        self._closed = False
        # A daemon: what is left to compare is no reason to stay.
        threading.Thread(target=self._run, name="shadow", daemon=True).start()

    def offer(self, asides: Sequence[Aside], around: Circumstances) -> None:
        """Take ``asides`` where there is room for all of them, else drop them."""
        with self._lock:
            takes = len(asides) <= self._room and not self._closed
            if takes:
                self._room -= len(asides)
        if takes:
            self._waiting.put((asides, around))
        else:
            self._watch.dropped(len(asides))

    def close(self) -> None:
        """Ask no more after the call under way."""
        self._closed = True
        self._waiting.put(None)
        self._end()

    def _run(self) -> None:
        _give_way()
        while (next_one := self._waiting.get()) is not None:
            asides, around = next_one
            for start in range(0, len(asides), SLICE):
                self._compare(asides[start : start + SLICE], around)
            with self._lock:
                self._room += len(asides)

    def _compare(self, asides: Sequence[Aside], around: Circumstances) -> None:
        if self._closed:
            return
        try:
            self._told(asides, around)
        except Exception as error:  # whatever it is, the next ones may be compared
            self._on_fault("shadow", error)
            self._watch.dropped(len(asides))

    def _told(self, asides: Sequence[Aside], around: Circumstances) -> None:
        asked: list[Aside] = []
        agreed: list[bool] = []
        for aside in asides:
            if asks_shadow(aside, around):
                asked.append(aside)
            else:
                agreed.append(agrees(aside, None, around))
        if asked:
            questions = [Question(a.message.text.text, a.message.text.language) for a in asked]
            answers = self._ask(self.classifier, questions, self._on_fault).each
            agreed += [
                agrees(aside, answer, around)
                for aside, answer in zip(asked, answers, strict=True)
                if answer is not None
            ]
        self._watch.compared(agreed.count(True), agreed.count(False))
        if missed := len(asides) - len(agreed):
            self._watch.dropped(missed)


def _give_way() -> None:
    """Have this thread, and those that it starts, give way to the process's others. Linux has a
    priority for each thread; elsewhere this would be the whole process's."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWEST_PRIORITY)
