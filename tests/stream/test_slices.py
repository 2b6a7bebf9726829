"""Cutting a fetch into slices."""

from hypothesis import given
from hypothesis import strategies as st

from router.stream.slices import cut
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
    assert [len(part) for part in cut([record(n, None) for n in range(5)], 3)] == [3, 2]
