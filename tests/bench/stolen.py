"""What the machine under this one took: a measurement during which it took much is made again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

TOLERATED = 0.01
"""Of the time of all processors."""

_TRIES = 4
_STEAL = 8
"""The column of /proc/stat's first line, after its name."""


def undisturbed(measure: Callable[[], T]) -> T:
    """What ``measure`` gives, at the first of four tries that is hardly disturbed, else the last
    one's."""
    for left in reversed(range(_TRIES)):
        stolen, passed = _ticks()
        found = measure()
        more_stolen, more_passed = _ticks()
        if not left or more_stolen - stolen < TOLERATED * (more_passed - passed):
            break
    return found


def _ticks() -> tuple[int, int]:
    """Taken so far, and passed so far, on all processors together."""
    columns = Path("/proc/stat").read_text(encoding="utf-8").splitlines()[0].split()
    return int(columns[_STEAL]), sum(map(int, columns[1 : _STEAL + 1]))
