"""One asking of the model, and the thread that it has to itself while it lasts.

A thread that has answered in time waits a while for the next call: to start one takes longer than
all else that a single message costs here. One that was given up serves nobody again.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from router.core.asking import OnFault, ask, unanswered
from router.core.prediction import Classifier, ModelRef, Predictions, Question
from router.errors import ModelError

THREAD = "model call"
"""The name of a call's thread: one that is left over at the end must not be waited for."""

KEPT = 10.0
"""Seconds that a thread waits for another call before it ends."""

_WAITING = "model thread"
_STEP = 0.25


class Call:
    """One asking; given up, it tells nothing and asks nothing more."""

    def __init__(
        self, classifier: Classifier, questions: Sequence[Question], on_fault: OnFault
    ) -> None:
        self.answered = unanswered(questions)
        self.given_up = False
        self.done = threading.Event()
        self._classifier = classifier
        self._questions = questions
        self._on_fault = on_fault

    @property
    def ended(self) -> bool:
        return self.done.is_set()

    def ends_within(self, seconds: float) -> bool:
        """Counted in short waits, not by the clock: time in which the whole process stood still
        (stopped, or its machine asleep) was none that the model could use."""
        left = seconds
        while left > 0:
            if self.done.wait(min(left, _STEP)):
                return True
            left -= _STEP
        return self.ended

    def run(self) -> None:
        try:
            self.answered = ask(_Leashed(self._classifier, self), self._questions, self._fault)
        except BaseException as error:  # a library's panic is no Exception
            self._fault("model", ModelError(f"The model broke off: {type(error).__name__}."))

    def _fault(self, where: str, error: Exception) -> None:
        if not self.given_up:  # told as one overrun already
            self._on_fault(where, error)


class Threads:
    """As many as there are calls at a time; may be used from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[_Thread] = []
        self._closed = False

    def start(self, call: Call) -> None:
        """Run ``call`` and set its ``done``, in a thread that does nothing else meanwhile.

        Raises:
            RuntimeError, MemoryError: no thread is to be had.
        """
        with self._lock:
            thread = self._waiting.pop() if self._waiting else None
        if thread is None:
            thread = _Thread(self)
            thread.calls.put(call)
            thread.start()
        else:
            thread.name = THREAD
            thread.calls.put(call)

    def close(self) -> None:
        """Keep no thread from now on."""
        with self._lock:
            self._closed = True
            waiting, self._waiting = self._waiting, []
        for thread in waiting:
            thread.calls.put(None)

    def stays(self, thread: _Thread, call: Call) -> bool:
        """Whether ``thread`` is to wait for another call, after ``call``."""
        with self._lock:
            if call.given_up or self._closed:
                return False
            thread.name = _WAITING
            self._waiting.append(thread)
            return True

    def leaves(self, thread: _Thread) -> bool:
        """Whether ``thread``, which has waited in vain, may end: it was not taken just now."""
        with self._lock:
            if thread not in self._waiting:
                return False
            self._waiting.remove(thread)
            return True


class _Thread(threading.Thread):
    def __init__(self, threads: Threads) -> None:
        super().__init__(name=THREAD, daemon=True)
        self.calls: SimpleQueue[Call | None] = SimpleQueue()
        self._threads = threads

    def run(self) -> None:
        stays = True
        while stays and (call := self._next()) is not None:
            try:
                call.run()
                # Before the asker goes on: it may have the next call at hand.
                stays = self._threads.stays(self, call)
            finally:
                call.done.set()
            del call  # what a customer wrote is not kept until the next one writes

    def _next(self) -> Call | None:
        try:
            return self.calls.get(timeout=KEPT)
        except Empty:
            return None if self._threads.leaves(self) else self.calls.get()


@dataclass(frozen=True, slots=True)
class _Leashed:
    """``classifier`` for as long as somebody waits for ``call``."""

    classifier: Classifier
    call: Call

    @property
    def ref(self) -> ModelRef:
        return self.classifier.ref

    @property
    def languages(self) -> frozenset[str]:
        return self.classifier.languages

    @property
    def intents(self) -> tuple[str, ...]:
        return self.classifier.intents

    @property
    def flags(self) -> tuple[str, ...]:
        return self.classifier.flags

    def predict(self, questions: Sequence[Question]) -> Predictions:
        if self.call.given_up:
            raise ModelError("Nobody waits for this answer any more.")
        return self.classifier.predict(questions)
