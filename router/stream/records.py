"""aiokafka's record as a plain value."""

from __future__ import annotations

from typing import Any

from router.core.record import InRecord, Source


def in_record(record: Any) -> InRecord:
    """``record`` as the core takes it; its time is the broker's, or the producer's where the
    topic keeps that."""
    return InRecord(
        source=Source(record.topic, record.partition, record.offset),
        key=record.key,
        value=record.value,
        headers=tuple(record.headers),
        broker_time=max(0.0, record.timestamp / 1000),
    )
