"""A guard on a bench: a model with moods, a clock and a wait that a test turns."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from router.core.breaker import Breaker, BreakerLimits
from router.core.prediction import Predictions, Question
from router.model.guard import Deadline, Guard
from tests.core.policy_fixtures import StubModel, english

LIMITS = BreakerLimits(failures=3, share=0.5, pause=5, longest_pause=60, probes=2)
PATIENCE = 20.0


class Hands:
    """A clock and a wait that a test turns: a wait ends when the test lets it."""

    def __init__(self) -> None:
        self.time = 0.0
        self.waits: queue.Queue[float] = queue.Queue()
        self._over: queue.Queue[None] = queue.Queue()
        self._free = False

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    def wait(self, seconds: float) -> None:
        self.waits.put(seconds)
        if not self._free:
            self._over.get(timeout=PATIENCE)
        if self._free:
            self.time += seconds

    def next_wait(self) -> float:
        """The wait that the prober is in; it goes on waiting."""
        return self.waits.get(timeout=PATIENCE)

    def turn(self, seconds: float) -> None:
        self.time += seconds
        self._over.put(None)

    def let_go(self) -> None:
        """From now on a wait is over at once, and so is the one under way."""
        self._free = True
        self._over.put(None)


@dataclass
class Moody(StubModel):
    """Does as ``mood`` says at each call: answers, raises, or hangs until ``woken``."""

    mood: Callable[[], object] = lambda: None
    woken: threading.Event = field(default_factory=threading.Event)
    stopped: int = 0

    def predict(self, questions: Sequence[Question]) -> Predictions:
        answer = super().predict(questions)
        self.mood()
        return answer

    def hang(self) -> None:
        self.woken.wait(PATIENCE)

    def stop(self) -> None:
        self.stopped += 1


@dataclass
class Told:
    """A watch that remembers."""

    changes: list[Breaker] = field(default_factory=list)
    out: list[bool] = field(default_factory=list)

    def changed(self, breaker: Breaker) -> None:
        self.changes.append(breaker)

    def out_of_threads(self, out: bool) -> None:
        self.out.append(out)


@dataclass
class Bench:
    """A guard, what it is given, and what it has told."""

    model: Moody = field(default_factory=Moody)
    hands: Hands = field(default_factory=Hands)
    faults: list[str] = field(default_factory=list)
    told: Told = field(default_factory=Told)
    deadline: Deadline = field(default_factory=lambda: Deadline(0.1, 0.0, 60))

    def __post_init__(self) -> None:
        self.guard = Guard(LIMITS, self.deadline, self.hands, self.told, wait=self.hands.wait)

    def fault(self, where: str, error: Exception) -> None:
        self.faults.append(f"{where}: {type(error).__name__}: {error}")

    def ask(self, *texts: str) -> list[bool]:
        """Which of ``texts`` got an answer."""
        return [
            one is not None for one in self.guard.ask(self.model, english(*texts), self.fault).each
        ]

    @property
    def states(self) -> list[str]:
        return [breaker.state for breaker in self.told.changes]

    def until(self, state: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while self.guard.breaker.state != state:
            assert time.monotonic() < deadline, self.states
            time.sleep(0.002)
