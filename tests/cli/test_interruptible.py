"""Ctrl-C around a coroutine: once to end in order, twice to leave."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Iterator

import pytest

from router.cli.interruptible import run

pytestmark = pytest.mark.timeout(20)


@pytest.fixture(autouse=True)
def as_at_a_terminal() -> Iterator[None]:
    """Whoever runs the tests may ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_what_is_not_interrupted_gives_its_result_and_leaves_ctrl_c_as_it_was() -> None:
    async def whole() -> int:
        return 3

    assert run(whole()) == 3
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_first_ctrl_c_lets_the_work_end_in_order() -> None:
    course = []

    async def work() -> None:
        try:
            ctrl_c()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            course.append("put in order")

    with pytest.raises(KeyboardInterrupt):
        run(work())
    assert course == ["put in order"]


def test_what_is_cancelled_by_another_is_no_ctrl_c() -> None:
    async def work() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        run(work())


def test_the_second_ctrl_c_leaves_at_once_and_no_task_is_told_to_have_died_of_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    gc.collect()  # What earlier tests left unretrieved is told now, not below.
    caplog.clear()
    ended = []
    asked = asyncio.Event()

    async def a_librarys() -> None:
        """It is at work when the signals come."""
        ctrl_c()
        await asked.wait()
        ctrl_c()
        await asyncio.Event().wait()

    async def work() -> None:
        other = asyncio.create_task(a_librarys())
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("asked to end")
            asked.set()
            await asyncio.Event().wait()
            ended.append(other.get_name())

    with pytest.raises(KeyboardInterrupt):
        run(work())
    gc.collect()
    assert ended == ["asked to end"]
    assert caplog.text == ""


def test_ctrl_c_that_is_ignored_stays_ignored() -> None:
    async def work() -> int:
        ctrl_c()
        await asyncio.sleep(0)
        return 3

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    assert run(work()) == 3
