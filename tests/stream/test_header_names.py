"""Header names of any bytes: the batch that holds one is read like every other."""

from __future__ import annotations

from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from hypothesis import given
from hypothesis import strategies as st

from router.stream.header_names import ForgivingRecords
from tests.kafka import Cluster
from tests.stream.bank import Bank, sources

PLAIN, GZIP, SNAPPY, LZ4, ZSTD = range(5)


class Name(str):
    """A header name that a producer writes as ``raw``, as one in another language can."""

    raw: bytes

    def __new__(cls, raw: bytes) -> Name:
        name = super().__new__(cls, raw.decode("latin-1"))
        name.raw = raw
        return name

    def encode(self, *_: Any) -> bytes:
        return self.raw


def builder(codec: int = PLAIN) -> Any:
    return _DefaultRecordBatchBuilderPy(2, codec, False, -1, -1, 0, 1_000_000)


names = st.one_of(st.binary(max_size=6), st.text(max_size=6).map(lambda name: name.encode()))
headers = st.lists(st.tuples(names, st.none() | st.binary(max_size=4)), max_size=4)
records = st.lists(st.tuples(st.none() | st.binary(max_size=9), headers), min_size=1, max_size=6)


def escaped(raw: bytes) -> str:
    return raw.decode(errors="backslashreplace")


@given(
    batches=st.lists(records, min_size=1, max_size=3),
    codec=st.sampled_from([PLAIN, GZIP, SNAPPY, LZ4, ZSTD]),
)
def test_every_record_comes_once_in_order_whatever_its_headers_are_called(
    batches: list[Any], codec: int
) -> None:
    data = b""
    for batch in batches:
        build = builder(codec)
        for offset, (value, pairs) in enumerate(batch):
            named = [(Name(raw), content) for raw, content in pairs]
            build.append(offset, timestamp=7, key=b"k", value=value, headers=named)
        data += bytes(build.build())
    found = []
    reading = ForgivingRecords(data)
    while reading.has_next():
        batch = reading.next_batch()
        assert batch.validate_crc()
        found.append([(record.offset, record.value, list(record.headers)) for record in batch])
    assert found == [
        [
            (offset, value, [(escaped(raw), content) for raw, content in pairs])
            for offset, (value, pairs) in enumerate(batch)
        ]
        for batch in batches
    ]
    assert reading.next_batch() is None


@pytest.mark.kafka
async def test_a_worker_routes_a_batch_with_a_header_name_that_is_no_utf_8(
    kafka: Cluster, topic_prefix: str, group: str
) -> None:
    bank = Bank(kafka.bootstrap, topic_prefix, group)
    await bank.open(partitions=1)
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
        batch = producer.create_batch()
        batch._builder = builder()
        for name in (b"traceparent", b"\xff\xfe", b"ok"):
            pairs = [(Name(name), b"1")]
            batch.append(timestamp=None, key=b"k", value=b"{}", headers=pairs)
        await (await producer.send_batch(batch, bank.topics.chat, partition=0))
    with bank.worker() as worker:
        await bank.done()
        assert worker.stop() == 0, worker.text()
    published = await bank.read(bank.topics.review)
    assert sources(published) == [f"{bank.topics.chat}/0/{offset}" for offset in range(3)]
