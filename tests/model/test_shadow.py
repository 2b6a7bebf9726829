"""The shadow's thread: it counts what it compared, and drops what it has no time for."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from router.assembly import open_validators
from router.core.asking import ask
from router.core.choosing import Model, ModelSet
from router.core.line import Line
from router.core.prediction import ModelRef
from router.core.topics import Topics
from router.model import shadow as module
from router.model.shadow import ShadowThread
from tests.core.policy_fixtures import (
    StubClock,
    StubLanguages,
    StubModel,
    chat_record,
    policy_of,
    prediction,
)
from tests.model.guard_bench import PATIENCE, Moody


@dataclass
class Told:
    agreeing: int = 0
    others: int = 0
    missed: int = 0
    faults: list[str] = field(default_factory=list)
    ended: int = 0

    def compared(self, agreeing: int, others: int) -> None:
        self.agreeing += agreeing
        self.others += others

    def dropped(self, messages: int) -> None:
        self.missed += messages

    def fault(self, where: str, error: Exception) -> None:
        self.faults.append(where)

    def end(self) -> None:
        self.ended += 1

    def until(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < deadline, self
            time.sleep(0.002)


@dataclass
class Stand:
    """A line with a shadow of moods."""

    told: Told = field(default_factory=Told)
    model: Moody = field(default_factory=lambda: Moody(ref=ModelRef("m", "2", "b" * 64)))

    def __post_init__(self) -> None:
        told = self.told
        self.shadow = ShadowThread(self.model, ask, told, told.fault, told.end)
        self.line = Line(
            policy_of(),
            None,
            StubLanguages(),
            open_validators(),
            Topics(),
            StubClock(),
            max_event_bytes=10_000,
            router_version="1",
            on_fault=told.fault,
        ).with_models(ModelSet(live=Model(StubModel()), shadow=self.shadow))

    def route(self, *texts: str) -> None:
        records = [chat_record(text, offset=at) for at, text in enumerate(texts)]
        found = self.line.route(records, fetched_at=0.0)
        assert [one.kind for one in found] == ["routed"] * len(texts)


@pytest.fixture
def stand() -> Iterator[Stand]:
    before = set(threading.enumerate())
    stand = Stand()
    yield stand
    stand.model.woken.set()
    stand.shadow.close()
    for thread in set(threading.enumerate()) - before:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_it_counts_how_often_it_would_have_chosen_the_same_queue(stand: Stand) -> None:
    stand.model.answer = lambda text: prediction(
        {"stolen_card" if "b" in text else "card_arrival": 1}
    )
    stand.route("a", "b", "c")
    stand.told.until(lambda: stand.told.agreeing + stand.told.others == 3)
    assert (stand.told.agreeing, stand.told.others, stand.told.missed) == (2, 1, 0)


def test_a_shadow_that_hangs_holds_up_no_batch_and_what_comes_meanwhile_is_dropped(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stand.shadow, "_room", 3)
    stand.model.mood = stand.model.hang
    stand.route("a", "b")
    stand.route("c", "d")
    assert stand.told.missed == 2
    stand.route("e")
    stand.model.woken.set()
    stand.told.until(lambda: stand.told.agreeing == 3)
    stand.route("f", "g", "h")  # there is room again
    stand.told.until(lambda: stand.told.agreeing == 6)
    assert stand.told.missed == 2


def test_what_it_gives_no_answer_to_is_dropped_and_told(stand: Stand) -> None:
    stand.model.breaks_on = frozenset({"a"})
    stand.route("a", "b")
    stand.told.until(lambda: stand.told.missed == 1)
    assert stand.told.agreeing == 1
    assert stand.told.faults


def test_it_is_asked_in_small_calls(stand: Stand) -> None:
    texts = [f"text {number}" for number in range(module.SLICE + 1)]
    stand.route(*texts)
    stand.told.until(lambda: stand.told.agreeing == len(texts))
    assert [len(call) for call in stand.model.asked] == [module.SLICE, 1]


def test_once_closed_it_asks_no_more(stand: Stand) -> None:
    stand.model.mood = stand.model.hang
    stand.route("a")
    stand.told.until(lambda: stand.model.asked == [["a"]])
    stand.route("b")
    stand.shadow.close()
    stand.route("c")
    assert (stand.told.missed, stand.told.ended) == (1, 1)
    stand.model.woken.set()
    stand.told.until(lambda: stand.told.agreeing == 1)
    assert stand.model.asked == [["a"]]


@pytest.mark.skipif(sys.platform != "linux", reason="a thread's own priority is Linux's")
def test_its_thread_gives_way_to_the_others(stand: Stand) -> None:

    seen: list[int] = []
    stand.model.mood = lambda: seen.append(
        os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    )
    stand.route("a")
    stand.told.until(lambda: bool(seen))
    assert seen == [19]
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) < 19
