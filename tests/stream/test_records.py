"""Records come as plain values to the consumer that asks for it, and to no other."""

from __future__ import annotations

from typing import Any

import aiokafka.consumer.fetcher
import pytest
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given
from hypothesis import strategies as st

from router.core.record import InRecord, Source
from router.stream.records import plain, read_plain_records

CHAT = TopicPartition("messages.chat", 3)
FIRST = 40

optional = st.none() | st.binary(max_size=9)
header = st.tuples(st.text(max_size=4), st.none() | st.binary(max_size=4))
record = st.tuples(st.integers(0, 2**40), optional, optional, st.lists(header, max_size=3))


def fetched(given: list[Any], asked: Any) -> Any:
    """What a consumer with the value deserializer ``asked`` holds after a fetch."""
    read_plain_records()
    build = _DefaultRecordBatchBuilderPy(2, 0, False, -1, -1, 0, 1_000_000)
    for offset, (time, key, value, headers) in enumerate(given):
        build.append(offset, timestamp=time, key=key, value=value, headers=headers)
    data = bytearray(build.build())
    data[:8] = FIRST.to_bytes(8, "big")  # as the broker does, and its checksum leaves it out
    return aiokafka.consumer.fetcher.PartitionRecords(
        CHAT, MemoryRecords(bytes(data)), [], FIRST, None, asked, True, READ_COMMITTED
    )


@given(st.lists(record, min_size=1, max_size=6))
def test_a_plain_record_is_what_was_sent_where_it_stands(given: list[Any]) -> None:
    found = fetched(given, plain)
    topic, partition = CHAT
    assert list(found) == [
        InRecord(Source(topic, partition, FIRST + at), key, value, tuple(headers), time / 1000)
        for at, (time, key, value, headers) in enumerate(given)
    ]
    assert found.next_fetch_offset == FIRST + len(given)


def test_reading_goes_on_where_it_was_left() -> None:
    """A consumer may take a few at a time."""
    found = fetched([(1, None, b"%d" % n, []) for n in range(3)], plain)
    first = next(iter(found))
    assert [one.value for one in (first, *found)] == [b"0", b"1", b"2"]


@pytest.mark.parametrize("asked", [None, bytes.upper])
def test_other_consumers_of_the_process_get_the_librarys_own_records(asked: Any) -> None:
    (found,) = fetched([(1, b"k", b"v", [])], asked)
    assert type(found) is ConsumerRecord
    assert found.value == (b"V" if asked else b"v")
