"""Records that are gone before they were read, in mid-stream."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from router.errors import ExpiredError
from router.stream.reader import Gone
from tests.stream.consumer.bench import SETTINGS, Bench
from tests.stream.fakes import CHAT, until


def gone(bench: Bench) -> Gone:
    """Offset 2 was to be read next; the log begins at 7."""
    return Gone(bench.consumer.partitions[CHAT].sequence, 2, first=7, end=9)


async def test_where_records_are_gone_what_is_in_hand_is_committed_and_then_the_worker_stops(
    bench: Bench,
) -> None:
    """What is in hand is nowhere else: a stop before that would lose it too."""
    await bench.take_over()
    await bench.deliver(0, 2)
    skipping = asyncio.ensure_future(bench.consumer._deliver({CHAT: gone(bench)}))
    await until(lambda: bool(bench.work.begun))
    assert not skipping.done()
    bench.work.gate.set()
    with pytest.raises(ExpiredError, match=r"5 records of messages\.chat/0 are gone"):
        await skipping
    assert bench.thread.group == {CHAT: 2}


async def test_told_to_continue_it_goes_on_with_what_is_left(bench: Bench) -> None:
    bench.runtime.settings = replace(SETTINGS, on_expired="continue")
    bench.work.gate.set()
    await bench.take_over()
    await bench.deliver(0, 2)
    await bench.consumer._deliver({CHAT: gone(bench)})
    assert bench.thread.moves == [(CHAT, 7)]
    await bench.deliver(7, 9)
    await bench.runtime.lanes.wait_idle()
    assert await bench.consumer.commit()
    assert bench.thread.group == {CHAT: 9}


async def test_a_topic_that_was_made_anew_is_read_and_committed_from_its_beginning(
    bench: Bench,
) -> None:
    """Its offsets are below what was done of the former one."""
    bench.runtime.settings = replace(SETTINGS, on_expired="continue")
    bench.work.gate.set()
    await bench.take_over()
    await bench.deliver(0, 6)
    sequence = bench.consumer.partitions[CHAT].sequence
    await bench.consumer._deliver({CHAT: Gone(sequence, 6, first=0, end=2)})
    assert bench.thread.group == {CHAT: 6}
    await bench.deliver(0, 2)
    await bench.runtime.lanes.wait_idle()
    assert not bench.runtime.failed.done()
    assert await bench.consumer.commit()
    assert bench.thread.group == {CHAT: 2}


async def test_a_take_over_while_records_are_found_gone_leaves_them_to_the_new_owner(
    bench: Bench,
) -> None:
    """The window: what is in hand is waited for, and the partition is another assignment's then."""
    await bench.take_over()
    skipping = asyncio.ensure_future(bench.consumer._deliver({CHAT: gone(bench)}))
    await asyncio.sleep(0)
    await bench.take_over()
    await skipping
    assert bench.thread.moves == []
    assert bench.consumer.partitions[CHAT].position == 0
