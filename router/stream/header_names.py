"""Header names that are no UTF-8: aiokafka raises on one, and the whole batch could never be read.

Kafka lets a producer write any bytes there. Such a name is read with its odd bytes escaped
(``\\xff``), and the record goes its way: the event in it is none the worse.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import aiokafka.consumer.fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

_LENGTH = struct.Struct(">i")
_LENGTH_AT = 8
_OVERHEAD = 12
"""Bytes of a batch before those that its length counts: base offset and the length itself."""


def read_any_header_name() -> None:
    """From now on every consumer of this process does; once more changes nothing."""
    aiokafka.consumer.fetcher.MemoryRecords = ForgivingRecords


class ForgivingRecords:
    """aiokafka's ``MemoryRecords`` of the same bytes, whose batches survive any header name."""

    def __init__(self, data: bytes) -> None:
        self._records = MemoryRecords(data)
        self._data = data
        self._at = 0

    def size_in_bytes(self) -> int:
        return int(self._records.size_in_bytes())

    def has_next(self) -> bool:
        return bool(self._records.has_next())

    def next_batch(self) -> Any:
        batch = self._records.next_batch()
        if batch is None:
            return None
        start = self._at
        (length,) = _LENGTH.unpack_from(self._data, start + _LENGTH_AT)
        self._at = start + _OVERHEAD + length
        return _Batch(batch, memoryview(self._data)[start : self._at])


class _Batch:
    """``batch``, read by aiokafka's own fast parser where that gets on."""

    def __init__(self, batch: Any, data: memoryview) -> None:
        self._batch = batch
        self._data = data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        try:
            return iter([*self._batch])
        except UnicodeDecodeError:
            return iter(_EscapingBatch(bytes(self._data)))


class _EscapingBatch(_DefaultRecordBatchPy):
    """aiokafka's parser in Python, which decodes names by the buffer's own method."""

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer: bytearray = _Escaping(self._buffer)


class _Escaping(bytearray):
    def __getitem__(self, key: Any) -> Any:
        taken = super().__getitem__(key)
        return _Escaping(taken) if isinstance(key, slice) else taken

    def decode(self, encoding: str = "utf-8", errors: str = "backslashreplace") -> str:
        return super().decode(encoding, errors)
