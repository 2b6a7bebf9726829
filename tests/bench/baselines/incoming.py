"""A record as aiokafka gives it, as the work takes it."""

from __future__ import annotations

from aiokafka import ConsumerRecord

from router.core.record import InRecord, Source


def record_of(record: ConsumerRecord) -> InRecord:
    """``record`` with the coordinates that decisions name."""
    return InRecord(
        Source(record.topic, record.partition, record.offset),
        record.key,
        record.value,
        tuple(record.headers),
        record.timestamp / 1000,
    )
