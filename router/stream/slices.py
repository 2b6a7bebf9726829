"""A fetch cut into the pieces that are routed and published together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from router.core.record import InRecord

SLICE_BYTES = 4 * 1024 * 1024
"""A slice's input values together, unless a single one is larger."""

SLICE_SECONDS = 1.0
"""About so long a slice may be routed: its first record is published with its last."""

_FIRST = 64
_LEAST = 32
"""Each slice has a cost of its own, whatever it holds. Where that alone took longer than a slice
may, ever smaller ones would only make it worse."""
_UP, _DOWN = 16, 4096
"""A pace believes in slower work after so many records, and in lighter only after so many: a few
easy messages are no reason to take a thousand hard ones at once."""


def cut(
    records: Sequence[InRecord], most: Callable[[], int], most_bytes: int = SLICE_BYTES
) -> Iterator[Sequence[InRecord]]:
    """``records`` in order, at most ``most()`` and about ``most_bytes`` at a time, none empty.
    ``most`` is asked anew for each."""
    start = 0
    while start < len(records):
        end = min(start + most(), len(records))
        size = len(records[start].value or b"")
        for place in range(start + 1, end):
            size += len(records[place].value or b"")
            if size > most_bytes:
                end = place
                break
        yield records[start:end]
        start = end


class Pace:
    """How many records make a slice: as many as are routed in `SLICE_SECONDS`, by what the last
    ones took, so that slices are large where the work is light and never keep a record long."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._each: float | None = None

    def records(self) -> int:
        """Of the next slice, at most."""
        if not self._each:
            return min(self._most, _FIRST)
        return min(self._most, max(_LEAST, int(SLICE_SECONDS / self._each)))

    def took(self, records: int, seconds: float) -> None:
        """So many records were routed in so long."""
        each = seconds / records
        if self._each is None:
            self._each = each
        remembered = _UP if each > self._each else _DOWN
        self._each += (each - self._each) * records / (records + remembered)
