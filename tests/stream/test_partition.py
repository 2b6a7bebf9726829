"""The state of one partition under one assignment."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.errors import StreamError
from router.stream.partition import BATCHES_OUT, FEW_BYTES
from tests.stream.fakes import partition, record, records


def test_nothing_is_to_be_committed_before_something_is_acknowledged() -> None:
    state = partition()
    state.take(records(0, 5), 5, 0.0)
    assert state.to_commit is None


def test_a_slice_is_to_be_committed_once_it_is_acknowledged() -> None:
    state = partition()
    batch = state.take(records(0, 5), 5, 0.0)
    assert state.ack(batch, 3)
    assert state.to_commit == 3
    state.committed = 3
    assert state.to_commit is None


def test_a_batch_out_of_turn_is_refused_and_commits_nothing() -> None:
    state = partition()
    state.take(records(0, 5), 5, 0.0)
    second = state.take(records(5, 9), 9, 0.0)
    with pytest.raises(StreamError):
        state.ack(second, 4)
    with pytest.raises(StreamError):
        state.finish(second)
    assert state.to_commit is None


def test_a_late_answer_of_before_a_seek_is_recognised() -> None:
    state = partition()
    late = state.take(records(0, 5), 5, 0.0)
    state.move(sequence=2, position=0)
    again = state.take(records(0, 5), 5, 0.0)
    assert late.stale
    assert not again.stale
    assert not state.ack(late, 5)
    assert not state.finish(late)
    assert state.to_commit is None
    assert list(state.out) == [again]


def test_a_batch_of_a_closing_partition_is_stale_but_what_it_published_counts() -> None:
    state = partition()
    batch = state.take(records(0, 5), 5, 0.0)
    state.closing = True
    assert batch.stale
    assert state.ack(batch, 2)
    assert state.to_commit == 2


def test_no_more_than_so_many_batches_are_out() -> None:
    state = partition()
    for number in range(BATCHES_OUT):
        assert state.may_fetch
        state.take([record(number, b"x" * FEW_BYTES)], number + 1, 0.0)
    assert not state.may_fetch
    state.finish(state.out[0])
    assert state.may_fetch


def test_of_small_batches_more_may_be_out_until_they_hold_as_much() -> None:
    state = partition()
    while state.may_fetch:
        state.take([record(state.position, None)], state.position + 1, 0.0)
    assert 100 < len(state.out) < 1000
    while state.out:
        state.finish(state.out[0])
    assert state.held == 0


def test_markers_after_the_last_record_are_committed_with_it() -> None:
    state = partition()
    batch = state.take(records(0, 5), 7, 0.0)
    state.ack(batch, 5)
    assert state.to_commit == 5
    state.finish(batch)
    assert state.to_commit == 7


def test_a_hole_inside_a_batch_does_not_count_as_done_early() -> None:
    state = partition()
    batch = state.take([*records(0, 2), *records(10, 12)], 12, 0.0)
    state.ack(batch, 2)
    assert state.to_commit == 2
    state.ack(batch, 3)
    assert state.to_commit == 11


def test_lag_counts_what_is_out_and_what_is_not_fetched() -> None:
    state = partition()
    batch = state.take(records(0, 5), 5, 0.0)
    state.end = 20
    assert (state.behind, state.behind_since) == (20, 1000.0)
    state.ack(batch, 3)
    assert (state.behind, state.behind_since) == (17, 1003.0)
    state.finish(batch)
    assert state.behind == 15
    state.passed = 20  # nothing but markers was left
    assert state.behind == 0


@given(sizes=st.lists(st.integers(1, 6), min_size=1, max_size=8), slice_size=st.integers(1, 4))
def test_what_is_to_be_committed_never_passes_what_is_done(
    sizes: list[int], slice_size: int
) -> None:
    state = partition()
    start = 0
    for size in sizes:
        batch = state.take(records(start, start + size), start + size, 0.0)
        for done in [*range(slice_size, size, slice_size), size]:
            state.ack(batch, done)
            assert state.acked == start + done
        state.finish(batch)
        start += size
    assert state.to_commit == start


@pytest.mark.parametrize(
    ("ready", "closing", "may"), [(True, False, True), (False, False, False), (True, True, False)]
)
def test_what_is_not_taken_over_or_is_being_taken_away_is_not_fetched(
    ready: bool, closing: bool, may: bool
) -> None:
    state = partition()
    state.ready, state.closing = ready, closing
    assert state.may_fetch is may


def test_what_is_acknowledged_never_goes_back() -> None:
    state = partition()
    batch = state.take(records(0, 5), 5, 0.0)
    state.ack(batch, 4)
    with pytest.raises(StreamError, match="backwards"):
        state.ack(batch, 2)
    assert state.to_commit == 4
