"""Only what is published is committed, by whoever the guarantee says."""

from __future__ import annotations

import asyncio

from aiokafka.errors import TopicAuthorizationFailedError

from router.errors import StreamError
from router.stream.exactly_once import ExactlyOnce
from router.stream.partition import TopicPartition
from tests.stream.consumer.bench import Bench
from tests.stream.fakes import CHAT, partition, records, until


async def test_the_offset_is_committed_only_after_the_publication(bench: Bench) -> None:
    await bench.take_over()
    await bench.deliver(0, 2)
    await until(lambda: bool(bench.work.begun))
    assert not await bench.consumer.commit()
    assert bench.thread.group == {}
    bench.work.gate.set()
    await bench.runtime.lanes.wait_idle()
    assert await bench.consumer.commit()
    assert bench.thread.group == {CHAT: 2}


async def test_in_exactly_once_the_consumer_commits_nothing(bench: Bench) -> None:
    """The transaction has done so. A commit beside it is not fenced, and could set an offset back
    or ahead after another has taken over."""
    await bench.take_over()
    bench.runtime.delivery = ExactlyOnce("router", lambda tid: None, bench.consumer.committed, 5)
    bench.work.gate.set()
    await bench.deliver(0, 2)
    await bench.runtime.lanes.wait_idle()
    assert bench.consumer.partitions[CHAT].to_commit == 2
    assert not await bench.consumer.commit()
    await bench.consumer.wait_empty()
    assert bench.thread.group == {}


async def test_what_the_group_did_not_take_is_committed_the_next_time_and_then_no_more(
    bench: Bench,
) -> None:
    await bench.take_over()
    bench.work.gate.set()
    await bench.deliver(0, 2)
    await bench.runtime.lanes.wait_idle()
    bench.thread.commits = False
    assert not await bench.consumer.commit()
    bench.thread.commits = True
    assert await bench.consumer.commit()
    assert bench.thread.group == {CHAT: 2}
    assert not await bench.consumer.commit()


async def test_faust_acking_a_message_commits_nothing(bench: Bench) -> None:
    await bench.take_over()
    await bench.deliver(0, 2)
    message = bench.delivered[0]
    assert not bench.consumer.ack(message)
    assert message.acked
    assert not await bench.consumer.commit()
    assert bench.thread.group == {}


async def test_a_refused_commit_ends_the_process(bench: Bench) -> None:
    await bench.take_over()
    bench.work.gate.set()
    await bench.deliver(0, 2)
    await bench.runtime.lanes.wait_idle()
    bench.thread.commit_error = TopicAuthorizationFailedError("no")
    assert not await bench.consumer.commit()
    assert isinstance(bench.runtime.failed.exception(), StreamError)


async def test_a_failed_slice_ends_the_process_and_is_never_committed(bench: Bench) -> None:
    await bench.take_over()
    bench.work.error = RuntimeError("broken")
    bench.work.gate.set()
    await bench.deliver(0, 4)
    await until(bench.runtime.failed.done)
    assert isinstance(bench.runtime.failed.exception(), StreamError)
    other = partition(TopicPartition("messages.chat", 1))
    bench.runtime.lanes.put(other.take(records(0, 1, other.tp), 1, 0.0))
    await bench.deliver(4, 6)
    await asyncio.sleep(0.01)
    assert len(bench.work.begun) == 1
    assert not await bench.consumer.commit()
    assert bench.thread.group == {}


async def test_lag_is_told_for_what_is_assigned_and_keeps_its_age_while_stuck(
    bench: Bench,
) -> None:
    await bench.take_over()
    await bench.deliver(0, 4)
    await until(lambda: bool(bench.work.begun))
    bench.consumer.partitions[CHAT].end = 10
    (lag,) = bench.runtime.lag()
    assert (lag.topic, lag.partition, lag.records, lag.waiting_since) == (*CHAT, 10, 1000.0)
    bench.runtime.rebalancing()
    assert list(bench.runtime.lag()) == []
