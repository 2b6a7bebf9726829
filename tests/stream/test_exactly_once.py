"""Exactly-once delivery: what a transaction holds, and that nothing of a failed one counts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError, MessageSizeTooLargeError, ProducerFenced

from router.core.record import InRecord
from router.core.topics import Topics
from router.errors import StreamError
from router.settings import Settings
from router.stream.exactly_once import ExactlyOnce, transactional_id
from router.stream.parcels import RoutedSlice
from router.stream.partition import Partition, TopicPartition
from router.stream.producers import transaction_limit, transactional_producers
from tests.kafka import Cluster
from tests.stream.bank import Bank, sources
from tests.stream.echo import outcome_of
from tests.stream.fakes import CHAT, FakeBatch, FakeProducer, partition, record

TOPICS = Topics()


class Transactional(FakeProducer):
    """Keeps a transaction's records apart until it is committed."""

    def __init__(self, tid: str, broker: FakeBroker) -> None:
        super().__init__(broker.answer)
        self.tid = tid
        self.broker = broker
        self.steps: list[str] = []
        self.offsets: dict[Any, Any] = {}
        broker.made.append(self)

    async def start(self) -> None:
        self.broker.owner[self.tid] = self

    async def stop(self) -> None:
        self.steps.append("stop")

    async def begin_transaction(self) -> None:
        self.steps.append("begin")
        self.log.clear()

    async def send_offsets_to_transaction(self, offsets: dict[Any, Any], group: str) -> None:
        self.steps.append(f"offsets after {len(self.log)}")
        self.offsets = {tuple(tp): one.offset for tp, one in offsets.items()}

    async def commit_transaction(self) -> None:
        if self.broker.owner[self.tid] is not self:
            raise ProducerFenced
        if self.broker.commit_hangs:
            await asyncio.Event().wait()
        self.steps.append("commit")
        self.broker.published += [value for *_, value in self.log]
        self.broker.group |= self.offsets


class FakeBroker:
    """Who owns a transactional id, and what is committed."""

    def __init__(
        self, answer: Callable[[str, int, FakeBatch], BaseException | None] = lambda *_: None
    ) -> None:
        self.answer = answer
        self.owner: dict[str, Transactional] = {}
        self.made: list[Transactional] = []
        self.published: list[bytes | None] = []
        self.group: dict[Any, int] = {}
        self.commit_hangs = False

    async def committed(self, tp: TopicPartition) -> int | None:
        return self.group.get(tp)

    def delivery(self, limit: float = 5.0) -> ExactlyOnce:
        return ExactlyOnce("router", lambda tid: Transactional(tid, self), self.committed, limit)


def parcels(*values: bytes, state: Partition | None = None) -> list[RoutedSlice]:
    """One slice, as `publish` takes it."""
    given = [record(offset, value) for offset, value in enumerate(values)]
    return slices(state or partition(), given, TOPICS)


def slices(state: Partition, given: Sequence[InRecord], topics: Topics) -> list[RoutedSlice]:
    return [RoutedSlice(state, given, [outcome_of(one, topics) for one in given], topics)]


async def test_records_and_offset_are_one_transaction_and_every_send_is_awaited_first() -> None:
    broker = FakeBroker()
    delivery = broker.delivery()
    await delivery.assigned([CHAT])
    state = partition()
    await delivery.publish(parcels(b"a", b"b", state=state))
    assert broker.made[0].steps == ["begin", "offsets after 2", "commit"]
    assert broker.published == [b"a", b"b"]
    assert broker.group == {CHAT: 2}
    assert state.committed == 2


async def test_a_failed_send_commits_nothing_and_is_the_end() -> None:
    broker = FakeBroker(lambda *_: KafkaConnectionError("gone"))
    delivery = broker.delivery()
    await delivery.assigned([CHAT])
    state = partition()
    with pytest.raises(StreamError):
        await delivery.publish(parcels(b"a", state=state))
    assert (broker.published, broker.group, state.committed) == ([], {}, None)


async def test_a_former_owner_cannot_commit() -> None:
    broker = FakeBroker()
    former, later = broker.delivery(), broker.delivery()
    await former.assigned([CHAT])
    await later.assigned([CHAT])
    with pytest.raises(StreamError, match="ProducerFenced"):
        await former.publish(parcels(b"a"))
    assert (broker.published, broker.group) == ([], {})


async def test_a_commit_that_never_ends_is_the_end() -> None:
    broker = FakeBroker()
    broker.commit_hangs = True
    delivery = broker.delivery(limit=0.05)
    await delivery.assigned([CHAT])
    state = partition()
    with pytest.raises(StreamError, match="within"):
        await delivery.publish(parcels(b"a", state=state))
    assert state.committed is None


async def test_a_record_too_large_is_dead_lettered_in_a_fresh_transaction() -> None:
    def refuse(topic: str, _: int, batch: FakeBatch) -> BaseException | None:
        large = any(len(value or b"") > 10 for _, value, _ in batch.appended)
        too_large = large and topic != TOPICS.dead_letter
        return MessageSizeTooLargeError() if too_large else None

    broker = FakeBroker(refuse)
    delivery = broker.delivery()
    await delivery.assigned([CHAT])
    given = parcels(b"a", b"x" * 11, b"c")
    await delivery.publish(given)
    assert sorted(value or b"" for value in broker.published) == [b"a", b"c", b"x" * 11]
    assert [one.kind for one in given[0].outcomes] == ["review", "dead_letter", "review"]
    assert all(one.steps[-1] == "stop" for one in broker.made[:-1])
    assert {one.tid for one in broker.made} == {transactional_id("router", CHAT)}


async def test_a_producer_replaced_after_another_took_over_publishes_nothing() -> None:
    """The window: paused past its session while it replaces one, and woken after the other has
    done the slice. Its own start fences the rightful owner, so only the offset can tell."""
    former_is_woken = False

    def refuse(topic: str, _: int, batch: FakeBatch) -> BaseException | None:
        mine = not former_is_woken and topic != TOPICS.dead_letter
        return MessageSizeTooLargeError() if mine else None

    broker = FakeBroker(refuse)
    former, later = broker.delivery(), broker.delivery()
    await former.assigned([CHAT])

    async def woken_late(tp: TopicPartition) -> int | None:
        nonlocal former_is_woken
        former_is_woken = True
        await later.assigned([tp])
        await later.publish(parcels(b"a"))
        start = Transactional(transactional_id("router", tp), broker)
        await start.start()
        former._producers[tp] = start
        return await broker.committed(tp)

    former._committed = woken_late
    with pytest.raises(StreamError, match="another worker"):
        await former.publish(parcels(b"a"))
    assert broker.published == [b"a"]
    assert broker.group == {CHAT: 1}


async def test_the_transaction_ends_within_the_session_on_every_side() -> None:
    """A worker leaves before the broker aborts, and the broker aborts within a session."""
    settings = Settings(session_timeout=12, request_timeout=30)
    made = transactional_producers(settings)("id")
    assert made._txn_manager.transaction_timeout_ms == 12_000
    assert transaction_limit(settings) < 12
    assert made._request_timeout_ms / 1000 <= transaction_limit(settings) / 2
    await made.stop()


async def test_what_is_revoked_is_stopped_and_what_is_assigned_is_fresh() -> None:
    broker = FakeBroker()
    delivery = broker.delivery()
    await delivery.assigned([CHAT])
    await delivery.revoked([CHAT])
    assert broker.made[0].steps == ["stop"]
    await delivery.assigned([CHAT])
    await delivery.publish(parcels(b"a"))
    assert broker.published == [b"a"]


def test_an_id_is_of_its_group_topic_and_partition_alone() -> None:
    ids = {
        transactional_id(group, TopicPartition(topic, number))
        for group in ("a", "b")
        for topic in ("t", "u")
        for number in (0, 1)
    }
    assert len(ids) == 8
    assert transactional_id("a", CHAT) == transactional_id("a", TopicPartition(*CHAT))


@pytest.mark.kafka
async def test_on_kafka_a_take_over_in_mid_transaction_doubles_and_loses_nothing(
    kafka: Cluster, topic_prefix: str, group: str
) -> None:
    """The window: the former owner has sent and not yet committed when the next one comes."""
    bank = Bank(kafka.bootstrap, topic_prefix, group)
    await bank.open(partitions=1)
    tp = TopicPartition(bank.topics.chat, 0)
    settings = Settings(broker=kafka.bootstrap, topic_prefix=topic_prefix)
    make = transactional_producers(settings)

    async def unasked(_: TopicPartition) -> int | None:
        raise AssertionError("no producer is replaced here")

    former, later = (ExactlyOnce(group, make, unasked, 20) for _ in range(2))
    given = [record(offset, b"%d" % offset, tp) for offset in range(3)]
    mine, theirs = (slices(partition(tp), given, bank.topics) for _ in range(2))
    await bank.emit([(b"k", b"%d" % offset) for offset in range(3)])
    try:
        await former.assigned([tp])
        producer = former._producers[tp]
        about_to_commit = asyncio.Event()

        async def hold() -> None:
            about_to_commit.set()
            await asyncio.Event().wait()

        commit, producer.commit_transaction = producer.commit_transaction, hold
        open_one = asyncio.ensure_future(former.publish(mine))
        await asyncio.wait_for(about_to_commit.wait(), 20)
        await later.assigned([tp])
        assert (await bank.committed()).get(f"{tp.topic}/0") is None
        open_one.cancel()
        await asyncio.gather(open_one, return_exceptions=True)
        with pytest.raises(Exception, match=r"(?i)fenced|epoch|transaction"):
            await commit()
        await later.publish(theirs)
    finally:
        await former.revoked([tp])
        await later.revoked([tp])
    published = await bank.read(bank.topics.review)
    assert sorted(sources(published)) == [f"{tp.topic}/0/{offset}" for offset in range(3)]
    assert (await bank.committed())[f"{tp.topic}/0"] == 3
