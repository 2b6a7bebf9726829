"""aiokafka's records as plain values, made where it would make its own.

Its records are frozen dataclasses of eleven fields, most of which nobody here reads: one for each
record, and ours beside it, cost more than all else that a fetch does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import aiokafka.consumer.fetcher
from aiokafka.consumer.fetcher import PartitionRecords

from router.core.record import InRecord, Source


def plain(value: bytes | None) -> bytes | None:
    """For ``AIOKafkaConsumer(value_deserializer=plain)``: that consumer gives an `InRecord` for
    each record, once `read_plain_records` was called."""
    return value


def read_plain_records() -> None:
    """From now on every consumer of this process that asks for it does; once more changes
    nothing."""
    aiokafka.consumer.fetcher.PartitionRecords = _partition_records


class _PlainRecords(PartitionRecords):
    """One partition's records of one fetch."""

    def __iter__(self) -> Iterator[InRecord]:
        records: Iterator[InRecord] = self._records_iterator
        return records

    def _consumer_record(self, tp: Any, record: Any) -> InRecord:
        """Its time is the broker's, or the producer's where the topic keeps that."""
        return InRecord(
            Source(tp.topic, tp.partition, record.offset),
            record.key,
            record.value,
            tuple(record.headers),
            record.timestamp / 1000 if record.timestamp > 0 else 0.0,
        )


def _partition_records(  # noqa: PLR0917  # aiokafka's order
    tp: Any,
    records: Any,
    aborted: Any,
    fetch_offset: int,
    key_deserializer: Any,
    value_deserializer: Any,
    *checks: Any,
) -> PartitionRecords:
    """In place of aiokafka's class, with its arguments."""
    kind = _PlainRecords if value_deserializer is plain else PartitionRecords
    return kind(tp, records, aborted, fetch_offset, key_deserializer, value_deserializer, *checks)
