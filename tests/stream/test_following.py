"""Other models come into force between slices, and what is found after the end is left alone."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import cast

from router.core.choosing import Model, ModelSet
from router.core.prediction import ModelRef
from router.ops.health import Health
from router.ops.metrics import Metrics
from router.ops.model_watch import ModelWatches
from router.stream.following import THREAD, Looks
from router.stream.work import Routing
from tests.core.policy_fixtures import StubModel
from tests.stream.echo import EchoLine

PATIENCE, _LOOK = 20.0, 0.002
OLD, NEW = (
    ModelSet(live=Model(StubModel(ref=ModelRef("m", version, "0")))) for version in ("1", "2")
)


class Line(EchoLine):
    """An echo line that knows under which models it is."""

    def __init__(self, models: ModelSet) -> None:
        self.models = models

    def with_models(self, models: ModelSet) -> Line:
        return Line(models)


@dataclass
class Work:
    """As much of a `Routing` as a swap touches."""

    line: Line


@dataclass
class Answers:
    """A following whose looks a test answers."""

    given: queue.Queue[ModelSet | Exception | None] = field(default_factory=queue.Queue)
    looking: threading.Event = field(default_factory=threading.Event)
    looks: int = 0

    def look(self) -> ModelSet | None:
        self.looking.set()
        found = self.given.get(timeout=PATIENCE)
        self.looks += 1
        if isinstance(found, Exception):
            raise found
        return found


@dataclass
class Stand:
    metrics: Metrics = field(default_factory=Metrics)
    answers: Answers = field(default_factory=Answers)
    work: Work = field(default_factory=lambda: Work(Line(OLD)))

    def looks(self) -> Looks:
        watches = ModelWatches(self.metrics, Health())
        watches.started(OLD)
        work = cast(Routing, self.work)
        return Looks(self.answers, 0.001, self.work.line, work, watches)

    def value(self, name: str, /, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, labels)


async def _until(true: Callable[[], bool]) -> None:
    for _ in range(int(PATIENCE / _LOOK)):
        if true():
            return
        await asyncio.sleep(_LOOK)
    raise AssertionError("it takes too long")


def run(test: Callable[[Stand], Awaitable[None]]) -> Stand:
    stand = Stand()

    async def within() -> None:
        with stand.looks():
            await test(stand)

    try:
        asyncio.run(within())
    finally:
        stand.answers.given.put(None)  # the look under way ends
        for thread in threading.enumerate():
            if thread.name == THREAD:
                thread.join(PATIENCE)
                assert not thread.is_alive()
    return stand


def test_what_is_found_is_in_force_for_the_next_slice_and_told() -> None:
    async def test(stand: Stand) -> None:
        before = stand.work.line
        stand.answers.given.put(NEW)
        await _until(lambda: stand.work.line.models is NEW)
        assert before.models is OLD

    stand = run(test)
    assert stand.value("router_model_swaps_total") == 1
    assert stand.value("router_model_info", name="m", version="2") == 1
    assert stand.value("router_model_info", name="m", version="1") is None


def test_a_look_that_fails_is_followed_by_another() -> None:
    async def test(stand: Stand) -> None:
        stand.answers.given.put(RuntimeError())
        stand.answers.given.put(None)
        stand.answers.given.put(NEW)
        await _until(lambda: stand.work.line.models is NEW)
        assert stand.answers.looks == 3

    run(test)


def test_what_is_found_after_the_end_is_left_alone() -> None:
    stand = Stand()

    async def within() -> None:
        with stand.looks():
            await _until(stand.answers.looking.is_set)
        stand.answers.given.put(NEW)
        await _until(lambda: all(thread.name != THREAD for thread in threading.enumerate()))

    asyncio.run(within())
    assert stand.work.line.models is OLD
    assert stand.value("router_model_swaps_total") == 0
