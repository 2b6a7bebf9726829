"""A fetch cut into the pieces that are routed and published together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from router.core.record import InRecord

SLICE_BYTES = 4 * 1024 * 1024
"""A slice's input values together, unless a single one is larger."""


def cut(
    records: Sequence[InRecord], most: int, most_bytes: int = SLICE_BYTES
) -> Iterator[Sequence[InRecord]]:
    """``records`` in order, at most ``most`` and about ``most_bytes`` at a time, none empty."""
    start, size = 0, 0
    for place, record in enumerate(records):
        length = len(record.value or b"")
        if place > start and (place - start == most or size + length > most_bytes):
            yield records[start:place]
            start, size = place, 0
        size += length
    if start < len(records):
        yield records[start:]
