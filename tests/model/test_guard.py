"""The guard's threads: nobody waits for a model that hangs, and it comes back by itself."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from router.assembly import open_validators
from router.core.asking import HARMLESS
from router.core.line import Line
from router.core.topics import Topics
from router.model.guard import ABANDONED, Deadline
from tests.core.policy_fixtures import StubClock, StubLanguages, chat_record, policy_of
from tests.model.guard_bench import LIMITS, PATIENCE, Bench


@pytest.fixture
def bench() -> Iterator[Bench]:
    before = set(threading.enumerate())
    bench = Bench()
    yield bench
    bench.model.mood = lambda: None
    bench.model.breaks_on = frozenset()
    bench.model.woken.set()
    bench.hands.let_go()
    bench.guard.close()
    for thread in set(threading.enumerate()) - before:
        thread.join(PATIENCE)
        assert not thread.is_alive(), f"{thread.name} was left behind"


def raising(error: BaseException) -> Callable[[], Any]:
    def mood() -> None:
        raise error

    return mood


def test_a_model_that_answers_is_asked_as_without_a_guard(bench: Bench) -> None:
    assert bench.ask("a", "b") == [True, True]
    assert bench.model.asked == [["a", "b"]]
    assert (bench.faults, bench.told.changes) == ([], [])


def test_the_deadline_grows_with_the_batch() -> None:
    assert Deadline(5, 0.5, 8).of(1) == 5
    assert Deadline(5, 0.5, 20).of(11) == 10
    assert Deadline(5, 0.5, 8).of(11) == 8


def test_a_model_that_hangs_costs_one_deadline_and_then_nothing(bench: Bench) -> None:
    bench.model.mood = bench.model.hang
    assert bench.ask("a", "b") == [False, False]
    assert bench.faults == ["model: ModelError: The model gave no answer within 0.1 s."]
    assert bench.states == ["open"]
    assert bench.hands.next_wait() == 5
    assert bench.ask("c", "d") == [False, False]
    assert bench.model.asked == [["a", "b"]]
    assert bench.model.stopped == 1


def test_it_recovers_by_itself_without_a_message(bench: Bench) -> None:
    bench.model.mood = bench.model.hang
    bench.ask("a")
    bench.hands.next_wait()
    bench.model.mood = lambda: None
    bench.hands.turn(5)
    bench.until("closed")
    assert bench.states == ["open", "half_open", "closed"]
    assert bench.model.asked[1:] == [[HARMLESS.text]] * LIMITS.probes
    assert bench.ask("b") == [True]


def test_a_call_that_was_given_up_tells_nothing_and_asks_nothing_more(bench: Bench) -> None:
    def wake_and_raise() -> None:
        bench.model.hang()
        raise MemoryError

    bench.model.mood = wake_and_raise
    bench.ask("a", "b", "c")
    left = {thread for thread in threading.enumerate() if thread.name == "model call"}
    bench.model.woken.set()
    for thread in left:
        thread.join(PATIENCE)
    assert bench.model.asked == [["a", "b", "c"]]
    assert len(bench.faults) == 1


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError(), SystemExit()])
def test_a_model_that_raises_opens_it_after_so_many_batches(
    bench: Bench, error: BaseException
) -> None:
    bench.model.mood = raising(error)
    for _ in range(LIMITS.failures):
        assert bench.guard.breaker.asks
        assert bench.ask("a", "b", "c") == [False] * 3
    assert bench.states == ["open"]
    assert bench.hands.next_wait() == 5
    assert len(bench.model.asked) <= 2 * LIMITS.failures  # not once for each text


def test_texts_that_break_the_model_do_not_open_it(bench: Bench) -> None:
    bench.model.breaks_on = frozenset({"poison"})
    for _ in range(2 * LIMITS.failures):
        assert bench.ask("poison") == [False]
        assert bench.ask("a", "poison") == [True, False]
    assert bench.states == []


def test_asking_again_text_by_text_is_within_the_same_deadline(bench: Bench) -> None:
    bench.model.breaks_on = frozenset({"a"})
    calls = iter(range(10))
    bench.model.mood = lambda: bench.model.hang() if next(calls) == 2 else None
    began = time.monotonic()
    assert bench.ask("a", "b", "c", "d") == [False] * 4
    assert time.monotonic() - began < PATIENCE / 2
    assert bench.states == ["open"]
    assert bench.guard.breaker.why == "a call gave no answer in time"


def test_probes_that_fail_wait_longer_and_longer(bench: Bench) -> None:
    bench.model.mood = raising(RuntimeError())
    for _ in range(LIMITS.failures):
        bench.ask("a")
    waits = []
    for _ in range(5):
        waits.append(bench.hands.next_wait())
        bench.hands.turn(waits[-1])
    assert waits == [5, 10, 20, 40, 60]


def test_no_more_threads_are_lost_than_the_limit_and_one_that_returns_lets_a_probe_go(
    bench: Bench,
) -> None:
    bench.model.mood = bench.model.hang
    bench.ask("a")
    for _ in range(ABANDONED + 3):
        bench.hands.turn(bench.hands.next_wait())
    bench.hands.next_wait()
    assert len(bench.model.asked) == ABANDONED
    assert bench.guard.breaker.state == "open"
    assert bench.told.out[-1]
    bench.model.mood = lambda: None
    bench.model.woken.set()
    bench.hands.turn(60)
    deadline = time.monotonic() + PATIENCE
    while not bench.guard.breaker.asks:
        assert time.monotonic() < deadline, bench.states
        try:
            bench.hands.waits.get(timeout=0.05)
            bench.hands.turn(60)
        except queue.Empty:
            continue
    assert not bench.told.out[-1]


def test_a_thread_that_cannot_be_had_is_a_failure_of_the_model(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        for _ in range(LIMITS.failures):
            assert bench.ask("a") == [False]
    assert bench.states == ["open"]
    bench.ask("b")  # starts the probing that could not be started
    bench.hands.next_wait()
    bench.hands.turn(5)
    bench.until("closed")


def test_several_threads_may_ask_at_once(bench: Bench) -> None:
    bench.model.mood = bench.model.hang
    threads = [threading.Thread(target=bench.ask, args=("a",)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert bench.states == ["open"]
    assert 1 <= len(bench.faults) <= 6
    bench.hands.next_wait()
    assert bench.hands.waits.empty()


def test_a_process_that_stood_still_has_not_used_up_the_models_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench(deadline=Deadline(0.5, 0.0, 60))
    bench.ask("a")  # its thread is kept: the next one that waits is the guard
    bench.model.mood = bench.model.hang
    steps = iter(range(10))
    real = threading.Event.wait

    def wait(event: threading.Event, timeout: float | None = None) -> bool:
        """The guard's first step takes longer than the whole deadline: everything was stopped."""
        if event is bench.model.woken or next(steps):
            return real(event, timeout)
        time.sleep(0.6)
        bench.model.woken.set()
        return False

    monkeypatch.setattr(threading.Event, "wait", wait)
    assert bench.ask("a") == [True]
    assert bench.states == []
    bench.guard.close()


def test_the_line_goes_on_with_its_rules_while_the_model_hangs_and_with_the_model_after(
    bench: Bench,
) -> None:
    line = Line(
        policy_of(),
        bench.model,
        StubLanguages(),
        open_validators(),
        Topics(),
        StubClock(),
        max_event_bytes=10_000,
        router_version="1.2",
        on_fault=bench.fault,
        ask=bench.guard.ask,
    )

    def reasons(*texts: str) -> list[str]:
        records = [chat_record(text, offset=n) for n, text in enumerate(texts)]
        return [one.decision.reason for one in line.route(records, 0.0) if one.decision]

    assert reasons("where is my card", "they stole it") == ["intent", "flag"]
    bench.model.mood = bench.model.hang
    assert reasons("where is my card", "they stole it") == ["model_unavailable", "flag"]
    bench.hands.next_wait()
    asked = len(bench.model.asked)
    assert reasons("where is my card", "they stole it") == ["model_unavailable", "flag"]
    assert len(bench.model.asked) == asked
    bench.model.mood = lambda: None
    bench.hands.turn(5)
    bench.until("closed")
    assert reasons("where is my card", "they stole it") == ["intent", "flag"]


def test_a_guard_that_is_closed_probes_no_more_and_tells_nothing(bench: Bench) -> None:
    bench.model.mood = bench.model.hang
    bench.ask("a")
    bench.hands.next_wait()
    bench.guard.close()
    bench.hands.let_go()
    for thread in threading.enumerate():
        if thread.name == "model probes":
            thread.join(PATIENCE)
            assert not thread.is_alive()
    assert bench.states == ["open"]
    bench.ask("b")
    assert not any(thread.name == "model probes" for thread in threading.enumerate())
