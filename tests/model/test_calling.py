"""A call's thread is kept for the next call, for a while, and never one that was given up."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator

import pytest

from router.model.calling import THREAD, Call, Threads
from tests.core.policy_fixtures import english
from tests.model.guard_bench import PATIENCE, Moody


class Stand:
    """Calls of a model that notes the threads that it is asked in."""

    def __init__(self) -> None:
        self.threads = Threads()
        self.model = Moody()
        self.model.mood = self.note
        self.used: list[threading.Thread] = []

    def note(self) -> None:
        self.used.append(threading.current_thread())

    def note_and_hang(self) -> None:
        self.note()
        self.model.hang()

    def start(self) -> Call:
        call = Call(self.model, english("a"), lambda *_: None)
        self.threads.start(call)
        return call

    def ask(self) -> bool:
        call = self.start()
        return call.ends_within(PATIENCE) and call.answered.model_works


@pytest.fixture
def stand() -> Iterator[Stand]:
    stand = Stand()
    yield stand
    stand.model.woken.set()
    stand.threads.close()
    for thread in stand.used:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def until(seen: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not seen():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_calls_one_after_another_share_a_thread(stand: Stand) -> None:
    assert all(stand.ask() for _ in range(50))
    assert len(set(stand.used)) == 1


def test_calls_at_a_time_have_a_thread_each(stand: Stand) -> None:
    stand.model.mood = stand.note_and_hang
    calls = [stand.start() for _ in range(3)]
    until(lambda: len(stand.used) == len(calls))
    stand.model.woken.set()
    assert all(call.ends_within(PATIENCE) for call in calls)
    assert len(set(stand.used)) == len(calls)


def test_a_thread_that_was_given_up_ends_and_is_not_used_again(stand: Stand) -> None:
    stand.model.mood = stand.note_and_hang
    call = stand.start()
    assert not call.ends_within(0.01)
    call.given_up = True
    stand.model.mood = stand.note
    assert stand.ask()
    stand.model.woken.set()
    stand.used[0].join(PATIENCE)
    assert not stand.used[0].is_alive()
    assert all(stand.ask() for _ in range(3))
    assert stand.used[0] not in stand.used[1:]


def test_a_thread_has_the_name_of_a_call_while_it_lasts_and_no_longer(stand: Stand) -> None:
    names: list[str] = []

    def mood() -> None:
        stand.note()
        names.append(threading.current_thread().name)

    stand.model.mood = mood
    for _ in range(2):
        assert stand.ask()
        assert stand.used[0].name != THREAD
    assert names == [THREAD, THREAD]


def test_a_thread_that_waits_in_vain_ends(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("router.model.calling.KEPT", 0.01)
    assert stand.ask()
    stand.used[0].join(PATIENCE)
    assert not stand.used[0].is_alive()
    assert stand.ask()


def test_a_call_given_to_a_thread_that_is_about_to_end_is_answered(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("router.model.calling.KEPT", 0)
    assert all(stand.ask() for _ in range(500))


def test_threads_that_are_closed_end_and_a_later_call_is_answered_all_the_same(
    stand: Stand,
) -> None:
    assert stand.ask()
    stand.threads.close()
    assert stand.ask()
    for thread in stand.used:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert len(set(stand.used)) == 2


def test_a_thread_that_waits_holds_nothing_of_the_last_call(stand: Stand) -> None:
    call = stand.start()
    assert call.ends_within(PATIENCE)
    gone = weakref.ref(call)
    del call

    def seen() -> bool:
        gc.collect()
        return gone() is None

    until(seen)
    assert stand.used[0].is_alive()
