"""At-least-once delivery: when a slice counts as published, and what is too large."""

from __future__ import annotations

from dataclasses import replace

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    MessageSizeTooLargeError,
    OutOfOrderSequenceNumber,
)

from router.core.topics import Topics
from router.errors import StreamError
from router.stream.delivery import AtLeastOnce
from router.stream.parcels import RoutedSlice
from tests.stream.echo import outcome_of
from tests.stream.fakes import FakeBatch, FakeProducer, FakeProducers, partition, record

TOPICS = Topics()


def parcel(*values: bytes) -> RoutedSlice:
    given = [record(offset, value) for offset, value in enumerate(values)]
    return RoutedSlice(partition(), given, [outcome_of(one, TOPICS) for one in given], TOPICS)


def too_large(most: int, most_dead: int = 10**9) -> FakeProducers:
    """Producers of a broker with these limits of a batch, in bytes of values."""

    def refuse(topic: str, _: int, batch: FakeBatch) -> BaseException | None:
        limit = most_dead if topic == TOPICS.dead_letter else most
        size = sum(len(value or b"") for _, value, _ in batch.appended)
        return MessageSizeTooLargeError() if size > limit else None

    return FakeProducers(lambda: FakeProducer(refuse))


async def publish(producers: FakeProducers, *given: RoutedSlice) -> None:
    await AtLeastOnce(producers, limit=5.0).publish(given)


async def test_every_record_of_a_slice_is_published() -> None:
    producers = FakeProducers()
    await publish(producers, parcel(b"a", b"b"))
    assert [value for *_, value in producers.current.log] == [b"a", b"b"]
    assert producers.renewals == 0


async def test_slices_of_several_partitions_share_their_batches() -> None:
    producers = FakeProducers()
    await publish(producers, parcel(b"a", b"b"), parcel(b"c"))
    assert [value for *_, value in producers.current.log] == [b"a", b"b", b"c"]
    assert len(producers.current.sends) == 1


async def test_a_record_too_large_in_one_slice_is_dead_lettered_in_that_one_alone() -> None:
    first, second = parcel(b"a", b"b"), parcel(b"c", b"x" * 11)
    producers = too_large(most=10)
    await publish(producers, first, second)
    kinds = [[one.kind for one in each.outcomes] for each in (first, second)]
    assert kinds == [["review", "review"], ["review", "dead_letter"]]


async def test_a_batch_too_large_goes_record_by_record_in_order() -> None:
    logs: list[FakeProducer] = []

    def make() -> FakeProducer:
        def refuse(_topic: str, _: int, batch: FakeBatch) -> BaseException | None:
            return MessageSizeTooLargeError() if len(batch.appended) > 1 else None

        logs.append(FakeProducer(refuse))
        return logs[-1]

    await publish(FakeProducers(make), parcel(b"a", b"b", b"c"))
    assert [value for one in logs for *_, value in one.log] == [b"a", b"b", b"c"]


async def test_a_record_too_large_is_dead_lettered_and_its_neighbours_are_published() -> None:
    producers = too_large(most=10)
    given = parcel(b"a", b"x" * 11, b"c")
    seen: list[FakeProducer] = [producers.current]
    await publish(producers, given)
    seen.append(producers.current)
    assert [one.kind for one in given.outcomes] == ["review", "dead_letter", "review"]
    rejected = given.outcomes[1].rejected
    assert rejected is not None
    assert (rejected.reason, rejected.field) == ("too_large", "$")
    assert (TOPICS.dead_letter, b"x" * 11) in {
        (topic, value) for topic, _, _, value in producers.current.log
    }


async def test_a_dead_letter_too_large_is_cut_until_it_fits() -> None:
    producers = too_large(most=10, most_dead=2000)
    given = parcel(b"x" * 200_000)
    await publish(producers, given)
    (letter,) = [value for topic, _, _, value in producers.current.log if topic != TOPICS.review]
    assert letter == b"x" * 1024
    headers = dict(given.outcomes[0].records[0].headers)
    assert headers["router-size"] == b"200000"
    assert headers["router-reason"] == b"too_large"


async def test_a_dead_letter_topic_that_refuses_everything_is_the_end() -> None:
    producers = FakeProducers(lambda: FakeProducer(lambda *_: MessageSizeTooLargeError()))
    with pytest.raises(StreamError, match="empty record"):
        await publish(producers, parcel(b"x" * 11))


async def test_a_refused_batch_replaces_the_producer() -> None:
    """An idempotent producer's later batches on that partition would all be refused."""
    producers = too_large(most=10)
    await publish(producers, parcel(b"x" * 11))
    assert producers.renewals == 1


async def test_broken_sequence_numbers_are_sent_again_by_a_fresh_producer() -> None:
    made: list[FakeProducer] = []

    def make() -> FakeProducer:
        first = not made
        made.append(FakeProducer(lambda *_: OutOfOrderSequenceNumber() if first else None))
        return made[-1]

    await publish(FakeProducers(make), parcel(b"a"))
    assert [value for *_, value in made[1].log] == [b"a"]


async def test_sequence_numbers_that_stay_broken_are_the_end() -> None:
    producers = FakeProducers(lambda: FakeProducer(lambda *_: OutOfOrderSequenceNumber()))
    with pytest.raises(StreamError, match="sequence numbers"):
        await publish(producers, parcel(b"a"))


async def test_a_failed_send_is_the_end_even_if_others_of_the_slice_succeed() -> None:
    def fail(_topic: str, _: int, batch: FakeBatch) -> BaseException | None:
        return KafkaConnectionError("gone") if batch.appended[0][1] == b"b" else None

    producers = FakeProducers(lambda: FakeProducer(fail, most=1))
    with pytest.raises(StreamError):
        await publish(producers, parcel(b"a", b"b", b"c"))


async def test_of_a_record_that_is_dead_lettered_nothing_else_is_sent_any_more() -> None:
    """Else it would stand in two places: what it still had to publish goes with it."""

    def refuse(topic: str, _: int, batch: FakeBatch) -> BaseException | None:
        large = len(batch.appended[0][1] or b"") > 10
        return MessageSizeTooLargeError() if large and topic == TOPICS.review else None

    made: list[FakeProducer] = []

    def make() -> FakeProducer:
        made.append(FakeProducer(refuse, most=1))
        return made[-1]

    one = record(0, b"x" * 11)
    outcome = outcome_of(one, TOPICS)
    (large,) = outcome.records
    outcome = replace(outcome, records=(large, replace(large, value=b"its copy")))
    await publish(FakeProducers(make), RoutedSlice(partition(), [one], [outcome], TOPICS))
    assert [topic for producer in made for topic, *_ in producer.log] == [TOPICS.dead_letter]


async def test_what_is_acknowledged_is_not_sent_again_by_a_fresh_producer() -> None:
    made: list[FakeProducer] = []

    def make() -> FakeProducer:
        first = not made

        def answer(_topic: str, _: int, batch: FakeBatch) -> BaseException | None:
            breaks = first and batch.appended[0][1] == b"b"
            return OutOfOrderSequenceNumber() if breaks else None

        made.append(FakeProducer(answer, most=1))
        return made[-1]

    await publish(FakeProducers(make), parcel(b"a", b"b"))
    assert [[value for *_, value in one.log] for one in made] == [[b"a"], [b"b"]]
