"""What was fetched, as the pieces that are routed and published together."""

from __future__ import annotations

from collections.abc import Sequence

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


def reach(records: Sequence[InRecord], start: int, most: int, most_bytes: int) -> tuple[int, int]:
    """Where a piece that begins at ``start`` ends, and its bytes: at most ``most`` records and
    ``most_bytes``, but at least one."""
    end = min(start + most, len(records))
    size = len(records[start].value or b"")
    for place in range(start + 1, end):
        larger = size + len(records[place].value or b"")
        if larger > most_bytes:
            return place, size
        size = larger
    return end, size


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
        fit = min(self._most, SLICE_SECONDS / self._each)  # which may be infinite
        return min(self._most, max(_LEAST, int(fit)))

    def took(self, records: int, seconds: float) -> None:
        """So many records were routed in so long."""
        each = seconds / records
        if self._each is None:
            self._each = each
        remembered = _UP if each > self._each else _DOWN
        self._each += (each - self._each) * records / (records + remembered)
