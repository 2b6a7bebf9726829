"""The model's circuit breaker as a value: what it has seen, and whether the model may be asked.

Closed, the model is asked. Enough failures, or one call without an answer in time, open it: nobody
asks, nobody waits. After a pause it is half open: probes alone are sent, and enough answers in a
row close it again. A pause that was too short is followed by one twice as long.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, Protocol

State = Literal["closed", "open", "half_open"]
Ending = Literal["answered", "failed", "overran"]
"""How a call ended; ``overran``: it gave no answer within its deadline."""

WINDOW = 20
"""Calls among which the failing share is taken, once there are so many."""

_LONG_AGO = float("-inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerLimits:
    """``failures`` in a row, or ``share`` of the last `WINDOW` calls, open it; pauses are seconds;
    ``probes`` answers in a row close it."""

    failures: int
    share: float
    pause: float
    longest_pause: float
    probes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """Every method gives the breaker as it is afterwards; ``now`` only ever grows.

    ``since`` is when it came to its state, ``why`` (for people) what opened it, ``pause`` the
    seconds from there to the first probe, ``proven`` the probes answered in a row.
    """

    limits: BreakerLimits
    state: State = "closed"
    since: float = _LONG_AGO
    why: str = ""
    pause: float = 0.0
    recent: tuple[Ending, ...] = ()
    proven: int = 0

    @property
    def asks(self) -> bool:
        """Whether messages may be given to the model."""
        return self.state == "closed"

    def called(self, ending: Ending, now: float) -> Breaker:
        """After a call. One that was begun before it opened and ends later says nothing new."""
        if self.state != "closed":
            return self
        recent = (*self.recent, ending)[-WINDOW:]
        if why := self._too_bad(recent):
            # Opened again so soon, the pause before was too short.
            again = now - self.since <= self.limits.longest_pause
            return self._opened(why, now, 2 * self.pause if again else self.limits.pause)
        # A model that always answers makes no new breaker of the same.
        return self if recent == self.recent else replace(self, recent=recent)

    def wait(self, now: float) -> float:
        """Seconds until a probe may be sent."""
        return max(0.0, self.since + self.pause - now) if self.state == "open" else 0.0

    def probing(self, now: float) -> Breaker:
        """Half open, where the pause is over."""
        if self.state != "open" or self.wait(now) > 0:
            return self
        return replace(self, state="half_open", since=now, proven=0)

    def probed(self, ending: Ending, now: float) -> Breaker:
        """After a probe."""
        if self.state != "half_open":
            return self
        if ending != "answered":
            return self._opened(
                f"{_OF_A_PROBE[ending]}; before, {self._cause}", now, 2 * self.pause
            )
        proven = self.proven + 1
        if proven < self.limits.probes:
            return replace(self, proven=proven)
        return replace(self, state="closed", since=now, why="", recent=(), proven=0)

    @property
    def _cause(self) -> str:
        return self.why.rpartition("; before, ")[2]

    def _too_bad(self, recent: tuple[Ending, ...]) -> str:
        if recent[-1] == "answered":
            return ""
        if recent[-1] == "overran":
            return "a call gave no answer in time"
        row = recent[-self.limits.failures :]
        if len(row) == self.limits.failures and "answered" not in row:
            return f"{len(row)} calls in a row failed"
        failed = len(recent) - recent.count("answered")
        if len(recent) == WINDOW and failed >= self.limits.share * WINDOW:
            return f"{failed} of the last {WINDOW} calls failed"
        return ""

    def _opened(self, why: str, now: float, pause: float) -> Breaker:
        pause = min(pause, self.limits.longest_pause)
        return replace(self, state="open", since=now, why=why, pause=pause, recent=(), proven=0)


_OF_A_PROBE: dict[Ending, str] = {
    "failed": "a probe failed",
    "overran": "a probe gave no answer in time",
}


class Watch(Protocol):
    """Told, from any thread, what people should know of who asks the model."""

    def changed(self, breaker: Breaker) -> None:
        """The breaker's state has changed; in order."""
        ...

    def out_of_threads(self, out: bool) -> None:
        """Whether so many calls hang that the model is not even probed; told at every look."""
        ...
