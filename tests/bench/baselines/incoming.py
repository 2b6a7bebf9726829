"""Records as aiokafka gives them, as the work takes them, and the router's own slices of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aiokafka import ConsumerRecord

from router.core.record import InRecord, Source
from router.stream.slices import SLICE_BYTES, reach


def record_of(record: ConsumerRecord) -> InRecord:
    """``record`` with the coordinates that decisions name."""
    return InRecord(
        Source(record.topic, record.partition, record.offset),
        record.key,
        record.value,
        tuple(record.headers),
        record.timestamp / 1000,
    )


def cut(
    records: Sequence[InRecord], most: int, most_bytes: int = SLICE_BYTES
) -> Iterator[Sequence[InRecord]]:
    """``records`` in order, at most ``most`` and about ``most_bytes`` at a time, none empty."""
    start = 0
    while start < len(records):
        end, _ = reach(records, start, most, most_bytes)
        yield records[start:end]
        start = end
