"""aiokafka's records as plain values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from router.core.record import InRecord, Source


def in_records(records: Iterable[Any]) -> list[InRecord]:
    """``records`` as the core takes them; a record's time is the broker's, or the producer's where
    the topic keeps that."""
    return [
        InRecord(
            Source(one.topic, one.partition, one.offset),
            one.key,
            one.value,
            tuple(one.headers),
            one.timestamp / 1000 if one.timestamp > 0 else 0.0,
        )
        for one in records
    ]
