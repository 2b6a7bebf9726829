"""The model asked under a deadline and a circuit breaker: a batch waits so long and no longer.

A run of ONNX Runtime cannot be called off from outside, so each call has a thread to itself. One
that overruns is told to stop (`Stoppable`, which ends all but a kernel that hangs), abandoned, and
its batch goes on without predictions. Probes are sent from a thread of the guard's, with a text of
ours: no message waits for them, and a worker without traffic recovers too.

At most `ABANDONED` threads are given up at a time; then no probe is sent until one comes back. A
second session beside one that hangs is not loaded: it would cost the model's memory again where
memory may be what is short, and a process that has lost four threads is better started anew.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, runtime_checkable

from router.core.asking import HARMLESS, Answered, OnFault, unanswered
from router.core.breaker import Breaker, BreakerLimits, Ending, Watch
from router.core.clock import Clock
from router.core.prediction import Classifier, Question
from router.errors import ModelError
from router.model.calling import Call, Threads

ABANDONED = 4
"""Most threads that may hang in the model at a time, before it is left alone."""


@runtime_checkable
class Stoppable(Protocol):
    """A classifier whose calls can be ended from another thread."""

    def stop(self) -> None:
        """End every call under way as soon as may be; each raises ModelError."""
        ...


@dataclass(frozen=True, slots=True)
class Deadline:
    """Seconds for a batch: ``first`` for its first text, ``each`` for every further one, and never
    more than ``most``. Asking it again text by text, after a failure, is within the same
    deadline."""

    first: float
    each: float
    most: float

    def of(self, texts: int) -> float:
        return min(self.first + self.each * (texts - 1), self.most)


class Guard:
    """Its ``ask`` is a `router.core.asking.Ask`; may be called from several threads."""

    def __init__(
        self,
        limits: BreakerLimits,
        deadline: Deadline,
        clock: Clock,
        watch: Watch,
        *,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        """``wait`` is how the probing thread passes so many seconds."""
        self._breaker = Breaker(limits=limits)
        self._deadline = deadline
        self._clock = clock
        self._watch = watch
        self._wait = wait
        self._lock = threading.Lock()
        self._threads = Threads()
        self._abandoned: list[Call] = []
        self._recovering = self._closed = False

    @property
    def breaker(self) -> Breaker:
        return self._breaker

    def ask(
        self, classifier: Classifier, questions: Sequence[Question], on_fault: OnFault
    ) -> Answered:
        """As `router.core.asking.ask`, within the deadline; at once without an answer while the
        breaker is open."""
        if self._breaker.asks:
            answered, ending = self._timed(classifier, questions, on_fault)
            self._become(lambda breaker, now: breaker.called(ending, now))
        else:
            answered = unanswered(questions)
        self._see_to_recovery(classifier, on_fault)
        return answered

    def close(self) -> None:
        """The model is no longer in force: probe it no more, and tell nothing more of it."""
        with self._lock:
            self._closed = True
        self._threads.close()

    def _become(self, step: Callable[[Breaker, float], Breaker]) -> None:
        with self._lock:
            before = self._breaker.state
            self._breaker = step(self._breaker, self._clock.monotonic())
            if self._breaker.state != before and not self._closed:
                self._watch.changed(self._breaker)

    def _timed(
        self, classifier: Classifier, questions: Sequence[Question], on_fault: OnFault
    ) -> tuple[Answered, Ending]:
        limit, call = self._deadline.of(len(questions)), Call(classifier, questions, on_fault)
        try:
            self._threads.start(call)
        except (RuntimeError, MemoryError) as error:  # no thread is to be had
            on_fault("model", error)
            return unanswered(questions), "failed"
        if call.ends_within(limit):
            return call.answered, "answered" if call.answered.model_works else "failed"
        call.given_up = True
        with self._lock:
            self._abandoned.append(call)
        if isinstance(classifier, Stoppable):
            classifier.stop()
        on_fault("model", ModelError(f"The model gave no answer within {limit:g} s."))
        return unanswered(questions), "overran"

    def _see_to_recovery(self, classifier: Classifier, on_fault: OnFault) -> None:
        """One thread probes while the breaker is not closed. Asked at every batch: one that could
        not be started, for want of memory, is started by the next."""
        with self._lock:
            if self._recovering or self._breaker.asks or self._closed:
                return
            self._recovering = True
        recovery = threading.Thread(
            target=self._recover, args=(classifier, on_fault), name="model probes", daemon=True
        )
        try:
            recovery.start()
        except (RuntimeError, MemoryError) as error:
            self._recovering = False
            on_fault("model", error)

    def _recover(self, classifier: Classifier, on_fault: OnFault) -> None:
        try:
            while self._still_recovering():
                self._wait(self._breaker.wait(self._clock.monotonic()))
                if self._may_lose_another():
                    self._probe(classifier, on_fault)
                else:
                    self._wait(self._breaker.pause)
        finally:
            self._recovering = False

    def _still_recovering(self) -> bool:
        with self._lock:
            self._recovering = not (self._breaker.asks or self._closed)
            return self._recovering

    def _may_lose_another(self) -> bool:
        with self._lock:
            self._abandoned = [call for call in self._abandoned if not call.ended]
            may = len(self._abandoned) < ABANDONED
            if not self._closed:
                self._watch.out_of_threads(not may)
        return may

    def _probe(self, classifier: Classifier, on_fault: OnFault) -> None:
        self._become(Breaker.probing)
        while self._breaker.state == "half_open":
            ending = self._timed(classifier, [HARMLESS], on_fault)[1]
            self._become(partial(_probed, ending))


def _probed(ending: Ending, breaker: Breaker, now: float) -> Breaker:
    return breaker.probed(ending, now)
