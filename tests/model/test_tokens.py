"""Padded lengths follow from a text's own length, and batches have bounded room."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from router.model.tokens import by_width, padded_to, width_of

counts = st.integers(1, 128)


@given(tokens=counts)
def test_a_padded_length_has_room_for_the_text_and_keeps_to_the_limit(tokens: int) -> None:
    assert tokens <= width_of(tokens, 128) <= 128


@given(fewer=counts, more=counts)
def test_a_longer_text_is_never_padded_to_less(fewer: int, more: int) -> None:
    low, high = sorted((fewer, more))
    assert width_of(low, 128) <= width_of(high, 128)


def test_a_limit_between_two_lengths_is_a_length_itself() -> None:
    assert width_of(90, 100) == 96
    assert width_of(99, 100) == 100


@given(lengths=st.lists(counts, max_size=200), room=st.integers(1, 2048))
def test_every_text_is_in_one_group_that_keeps_to_the_room(lengths: list[int], room: int) -> None:
    groups = by_width(lengths, 128, room)
    assert Counter(i for _, group in groups for i in group) == Counter(range(len(lengths)))
    for width, group in groups:
        assert {width_of(lengths[index], 128) for index in group} == {width}
        assert len(group) == 1 or len(group) * width <= room


@given(rows=st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=12), min_size=1, max_size=9))
def test_rows_are_filled_up_with_zeros_and_the_mask_tells_where(rows: list[list[int]]) -> None:
    ids, mask = padded_to(12, rows)
    assert ids.tolist() == [row + [0] * (12 - len(row)) for row in rows]
    assert mask.tolist() == [[1] * len(row) + [0] * (12 - len(row)) for row in rows]
