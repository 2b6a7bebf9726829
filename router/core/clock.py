"""Time as an argument: the core reads no clock of its own."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Gives wall time and elapsed time, both in seconds."""

    def now(self) -> float:
        """Seconds since the epoch, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that only ever grow; the zero means nothing."""
        ...
