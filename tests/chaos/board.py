"""A few bytes that a worker under test and its killer share: what it is at, and where to hold.

They lie in a file, so what the worker was at stands there after SIGKILL, too.
"""

from __future__ import annotations

import mmap
import threading
from enum import IntEnum
from pathlib import Path


class Phase(IntEnum):
    """What a slice, or the worker as a whole, is at. Several may hold at once."""

    BEFORE_SEND = 0
    SENDING = 1
    BEFORE_COMMIT = 2
    IN_COMMIT = 3
    REBALANCE = 4
    IDLE = 5
    """A member with nothing in flight and nothing uncommitted."""
    STARTING = 6
    """Not a member yet; nobody aims at it."""


WANTED = tuple(phase for phase in Phase if phase is not Phase.STARTING)
"""The phases that kills are aimed at."""


class Moment(IntEnum):
    """Where in its phase a worker holds: before the call that the phase is about, or from the
    call's beginning until past its end."""

    BEFORE = 0
    THROUGH = 1


_DEEPEST_FIRST = (
    Phase.IN_COMMIT,
    Phase.BEFORE_COMMIT,
    Phase.SENDING,
    Phase.REBALANCE,
    Phase.BEFORE_SEND,
)
_SIZE = 16
_JOINED, _PHASE, _MOMENT, _SPRUNG = 8, 9, 10, 11


class Board:
    """One worker process's; any thread may write."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists():
            path.write_bytes(bytes(_SIZE))
        with path.open("r+b") as file:
            self._bytes = mmap.mmap(file.fileno(), _SIZE)
        self._lock = threading.Lock()

    def clear(self) -> None:
        """For a new process in the place of a dead one."""
        self._bytes[:] = bytes(_SIZE)

    # -- the worker's side

    def begin(self, phase: Phase) -> None:
        with self._lock:
            self._bytes[phase] = min(255, self._bytes[phase] + 1)

    def end(self, phase: Phase) -> None:
        with self._lock:
            self._bytes[phase] = max(0, self._bytes[phase] - 1)

    def join(self) -> None:
        self._bytes[_JOINED] = 1

    def spring(self) -> None:
        """Tell the killer that the phase and the moment it waits for are here."""
        self._bytes[_SPRUNG] = 1

    def holds(self, phase: Phase, moment: Moment) -> bool:
        return self._bytes[_PHASE] == phase + 1 and self._bytes[_MOMENT] == moment

    # -- the killer's side

    def arm(self, phase: Phase, moment: Moment) -> None:
        """The worker is to hold there."""
        self._bytes[_SPRUNG] = 0
        self._bytes[_MOMENT] = moment
        self._bytes[_PHASE] = phase + 1

    def disarm(self) -> None:
        self._bytes[_PHASE] = 0

    @property
    def sprung(self) -> bool:
        return self._bytes[_SPRUNG] == 1

    @property
    def joined(self) -> bool:
        return self._bytes[_JOINED] == 1

    @property
    def quiet(self) -> bool:
        """Nothing is in flight, uncommitted or being rebalanced."""
        return not any(self._bytes[phase] for phase in _DEEPEST_FIRST)

    def phase(self, wanted: Phase | None = None) -> Phase:
        """What it is at: ``wanted`` if that is among it, else what is nearest to the commit."""
        if wanted in _DEEPEST_FIRST and self._bytes[wanted]:
            return wanted
        found = next((phase for phase in _DEEPEST_FIRST if self._bytes[phase]), Phase.IDLE)
        return found if self.joined or found is Phase.REBALANCE else Phase.STARTING
