"""Waiting for outcomes: as long as they come, and not for ever."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from router.core.record import Source
from router.demo import course
from router.demo.course import Course
from router.demo.ledger import Seen, Sent
from router.demo.parting import part
from router.demo.screen import SilentScreen
from router.demo.worker import Worker
from router.errors import RouterError
from router.settings import Settings


def _course(folder: Path) -> Course:
    settings = Settings()
    return Course(
        settings=settings,
        queues=("cards",),
        planned=(),
        seed=1,
        worker=Worker(settings, folder),
        broker=None,
        screen=SilentScreen(),
        fresh=True,
        remove=False,
    )


def _source(offset: int) -> Source:
    return Source("messages.chat", 0, offset)


async def test_waiting_ends_when_nothing_comes_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(course, "_PATIENCE", 0.2)
    run = _course(tmp_path)
    run.ledger.emit(Sent(_source(0), "e", "words", 0.0))
    async with asyncio.timeout(10):
        await run._settled()
    assert len(run.ledger.missing()) == 1


async def test_waiting_goes_on_while_outcomes_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(course, "_PATIENCE", 0.5)
    run = _course(tmp_path)
    for offset in range(5):
        run.ledger.emit(Sent(_source(offset), f"e{offset}", "words", 0.0))

    async def decide() -> None:
        for offset in range(5):
            await asyncio.sleep(0.2)
            run.ledger.decide(
                Seen(_source(offset), "router.ignored", "not_customer", None, f"e{offset}", 1.0)
            )

    deciding = asyncio.create_task(decide())
    await run._settled()
    await deciding
    assert run.ledger.missing() == []


async def test_the_words_of_our_own_error_are_chosen() -> None:
    def group() -> BaseExceptionGroup[Exception]:
        return ExceptionGroup("", [OSError("x"), ExceptionGroup("", [RouterError("ours")])])

    assert str(course._first(group())) == "ours"


async def test_parting_neither_hangs_nor_is_cancelled_by_what_it_leaves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("router.demo.parting._WITHIN", 0.1)

    async def hangs() -> None:
        await asyncio.sleep(60)

    async def cancelled() -> None:
        raise asyncio.CancelledError

    async def fails() -> None:
        raise OSError("gone")

    begun = time.monotonic()
    for leaving in (hangs, cancelled, fails):
        await part(leaving())
    assert time.monotonic() - begun < 10
