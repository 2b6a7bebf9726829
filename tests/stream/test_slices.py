"""Cutting a fetch into slices, and how large they are."""

from hypothesis import given
from hypothesis import strategies as st

from router.stream.slices import SLICE_SECONDS, Pace
from tests.bench.baselines.incoming import cut
from tests.stream.fakes import record


@given(
    sizes=st.lists(st.integers(0, 50), max_size=40),
    most=st.integers(1, 10),
    most_bytes=st.integers(1, 120),
)
def test_slices_are_bounded_in_order_and_leave_nothing_out(
    sizes: list[int], most: int, most_bytes: int
) -> None:
    given_records = [record(offset, b"x" * size) for offset, size in enumerate(sizes)]
    slices = list(cut(given_records, most, most_bytes))
    assert [one for part in slices for one in part] == given_records
    for part in slices:
        assert 1 <= len(part) <= most
        assert len(part) == 1 or sum(len(one.value or b"") for one in part) <= most_bytes


def test_a_null_value_has_no_size() -> None:
    sizes = [len(part) for part in cut([record(n, None) for n in range(5)], 3)]
    assert sizes == [3, 2]


def settled(pace: Pace, each: float) -> int:
    """What ``pace`` comes to where a record always takes ``each`` seconds."""
    for _ in range(1000):
        size = pace.records()
        pace.took(size, size * each)
    return pace.records()


def test_slices_are_as_large_as_allowed_where_the_work_is_light() -> None:
    assert settled(Pace(1000), 0.000_1) == 1000


def test_slices_take_about_a_second_where_it_is_not() -> None:
    assert abs(settled(Pace(1000), 0.005) * 0.005 - SLICE_SECONDS) < 0.01


def test_slices_never_shrink_to_where_their_own_cost_would_count() -> None:
    assert settled(Pace(1000), 1.0) == 32


def test_a_smaller_limit_is_kept_from_the_first_slice_on() -> None:
    assert Pace(5).records() == 5
    assert settled(Pace(5), 1.0) == 5


def test_slower_work_is_believed_at_once_and_lighter_work_slowly() -> None:
    pace = Pace(1000)
    assert settled(pace, 0.002) == 500
    pace.took(500, 500 * 0.01)
    assert pace.records() < 110
    pace.took(100, 100 * 0.002)
    assert pace.records() < 120


@given(st.lists(st.tuples(st.integers(1, 1000), st.floats(0, 1e6)), max_size=30))
def test_whatever_was_measured_a_slice_has_a_record_and_no_more_than_allowed(
    took: list[tuple[int, float]],
) -> None:
    pace = Pace(700)
    for records, seconds in took:
        pace.took(records, seconds)
        assert 1 <= pace.records() <= 700
