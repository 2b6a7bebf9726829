"""When records wait and none is decided, and when that is as it should be."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.stream.partition import TopicPartition
from router.stream.watchdog import Stuck, Waiting, Watchdog
from tests.stream.fakes import CHAT, Hands

OTHER = TopicPartition("messages.chat", 1)


class Course:
    """A watchdog that looks once a second, with a limit of ten."""

    def __init__(self, limit: float = 10) -> None:
        self.clock = Hands()
        self.dog = Watchdog(limit, self.clock)

    def run(self, seconds: int, *waiting: Waiting, answers: bool = True) -> list[Stuck | None]:
        return list(self._looks(seconds, waiting, answers=answers))

    def _looks(
        self, seconds: int, waiting: tuple[Waiting, ...], *, answers: bool
    ) -> Iterator[Stuck | None]:
        for _ in range(seconds):
            self.clock.time += 1
            yield self.dog.look(waiting, broker_answers=answers)


def idle_then(said: list[Stuck | None]) -> tuple[int, int]:
    """At which look it first warned, and at which it was for good; 0 for never."""
    warned = next((n for n, one in enumerate(said, 1) if one), 0)
    ended = next((n for n, one in enumerate(said, 1) if one and one.for_good), 0)
    return warned, ended


def test_it_warns_after_the_limit_and_ends_after_twice_as_long() -> None:
    assert idle_then(Course().run(30, Waiting(CHAT, 5, 7, "fetching"))) == (11, 21)


def test_what_it_says_names_the_partition_the_time_and_what_was_being_done() -> None:
    said = Course().run(21, Waiting(CHAT, 5, 7, "routing"))[-1]
    assert str(said) == (
        "5 records wait on messages.chat/0 and none was decided for 20 s; it is routing a slice, "
        "from offset 7 on"
    )


def test_a_worker_without_waiting_records_is_idle() -> None:
    assert idle_then(Course().run(1_000)) == (0, 0)


def test_off_is_never() -> None:
    assert idle_then(Course(0).run(1_000, Waiting(CHAT, 5, 7, "fetching"))) == (0, 0)


def test_each_decided_slice_begins_the_time_anew() -> None:
    course = Course()
    for done in range(0, 1_000, 10):
        assert not any(course.run(9, Waiting(CHAT, 9_000 - done, done, "routing", 10)))


def test_records_that_come_to_a_caught_up_partition_have_the_whole_time() -> None:
    course = Course()
    course.run(9, Waiting(CHAT, 1, 7, "fetching"))
    course.run(1)
    assert idle_then(course.run(12, Waiting(CHAT, 1, 8, "fetching"))) == (11, 0)


def test_a_long_slice_has_the_time_that_its_records_may_take() -> None:
    assert idle_then(Course().run(60, Waiting(CHAT, 500, 0, "routing", 200))) == (31, 41)


def test_a_partition_in_line_waits_as_long_as_others_are_decided() -> None:
    course = Course()
    mine = Waiting(CHAT, 5, 7, "in line", 5)
    for done in range(20):
        assert not any(course.run(9, mine, Waiting(OTHER, 99, done, "routing", 1)))
    stopped = Waiting(OTHER, 99, 20, "routing", 1)
    said = course.run(40, mine, stopped)
    assert idle_then(said)[1] > 0
    assert {one.waiting.tp for one in said if one} == {OTHER}, "the one that holds up the line"


def test_a_partition_that_nobody_fetches_from_is_seen_though_others_are_decided() -> None:
    course = Course()
    said: list[Stuck | None] = []
    for done in range(30):
        moving = Waiting(OTHER, 99, done, "routing", 1)
        said += course.run(1, Waiting(CHAT, 5, 7, "fetching"), moving)
    assert idle_then(said) == (11, 21)


def test_an_outage_counts_for_a_fifth() -> None:
    waiting = Waiting(CHAT, 5, 7, "fetching")
    warned, ended = idle_then(Course().run(150, waiting, answers=False))
    assert 50 <= warned <= 52
    assert 100 <= ended <= 102
    course = Course()
    assert not any(course.run(40, waiting, answers=False))
    assert not any(course.run(2, waiting)), "the broker is back: what waits may still be decided"


def test_a_process_that_slept_did_not_hang() -> None:
    course = Course(limit=20)
    waiting = Waiting(CHAT, 5, 7, "fetching")
    course.run(1, waiting)
    course.clock.time += 3_600
    assert course.dog.look([waiting], broker_answers=True) is None
    assert idle_then(course.run(30, waiting))[0] > 0


def test_a_partition_that_was_taken_away_and_came_back_begins_anew() -> None:
    course = Course()
    waiting = Waiting(CHAT, 5, 7, "fetching")
    course.run(9, waiting)
    course.run(1)
    assert not any(course.run(10, waiting))


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(0, 3), st.booleans()), max_size=60))
def test_what_is_decided_within_the_limit_is_never_stuck(
    steps: list[tuple[float, int, bool]],
) -> None:
    """Whatever the broker says: done moves whenever ten seconds would pass."""
    clock = Hands()
    dog = Watchdog(10, clock)
    done, moved = 0, clock.time
    for seconds, progress, answers in steps:
        clock.time += seconds
        if progress or clock.time - moved > 5:
            done, moved = done + 1, clock.time
        assert dog.look([Waiting(CHAT, 9, done, "routing", 1)], broker_answers=answers) is None


@pytest.mark.parametrize("limit", [1, 10, 120])
def test_the_end_never_comes_without_a_warning(limit: int) -> None:
    said = Course(limit).run(limit * 3 + 3, Waiting(CHAT, 5, 7, "in line", 1))
    warned, ended = idle_then(said)
    assert 0 < warned < ended
    assert all(said[warned:])
