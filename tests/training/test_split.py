"""The split is a function of the texts alone, and parts no pair of near-duplicates."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from router.training.examples import Example
from router.training.neighbours import similar_groups, words_of
from router.training.split import SIMILAR, split_examples

WORDS = ("my", "card", "has", "not", "come", "where", "is", "it", "fee", "charged", "twice", "why")
invented = st.builds(
    Example,
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map(" ".join),
    st.sampled_from(["arrival", "fees", "top_up"]),
)
many = st.lists(invented, max_size=60)


def _numbered(count: int) -> list[Example]:
    return [Example(f"text{n} word{n * 7} other{n * 13}", f"label{n % 4}") for n in range(count)]


@given(examples=many)
def test_every_example_is_in_exactly_one_part(examples: list[Example]) -> None:
    split = split_examples(examples)
    together = [*split.train, *split.calibration, *split.heldout]
    assert sorted(together, key=repr) == sorted(examples, key=repr)


@given(examples=many, shuffling=st.randoms())
def test_the_order_of_the_file_does_not_matter(
    examples: list[Example], shuffling: random.Random
) -> None:
    shuffled = examples.copy()
    shuffling.shuffle(shuffled)
    assert split_examples(shuffled) == split_examples(examples)


def _alike(one: str, other: str) -> bool:
    a, b = words_of(one), words_of(other)
    return len(a & b) >= SIMILAR * len(a | b)


@given(examples=many)
def test_no_two_parts_hold_texts_that_are_alike(examples: list[Example]) -> None:
    split = split_examples(examples)
    parts = (split.train, split.calibration, split.heldout)
    for index, part in enumerate(parts):
        others = [e for other in parts[index + 1 :] for e in other]
        assert not any(_alike(e.text, o.text) for e in part for o in others)


def test_a_fifth_of_each_label_is_held_out_and_a_tenth_of_the_rest_calibrates() -> None:
    split = split_examples(_numbered(400))
    for label in ("label0", "label1", "label2", "label3"):
        counts = [
            sum(e.label == label for e in part)
            for part in (split.heldout, split.calibration, split.train)
        ]
        assert counts == [20, 8, 72]


def test_the_split_stays_what_it_is() -> None:
    """What was held out once must never be trained on: another salt or rule is another split."""
    heldout = split_examples(_numbered(40)).heldout
    assert [e.text.split()[0] for e in heldout] == HELDOUT_OF_FORTY


HELDOUT_OF_FORTY = ["text28", "text12", "text9", "text1", "text10", "text14", "text11", "text27"]


@given(texts=st.lists(st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join), max_size=40))
def test_groups_are_exactly_the_chains_of_similar_pairs(texts: list[str]) -> None:
    groups = similar_groups(texts, SIMILAR)
    assert sorted(i for group in groups for i in group) == list(range(len(texts)))
    where = {index: number for number, group in enumerate(groups) for index in group}
    for i, one in enumerate(texts):
        for j, other in enumerate(texts[:i]):
            if words_of(one) and _alike(one, other):
                assert where[i] == where[j]
    for group in groups:
        reached, waiting = {group[0]}, [group[0]]
        while waiting:
            near = {j for j in group if _alike(texts[waiting[0]], texts[j])} - reached
            reached |= near
            waiting = [*waiting[1:], *near]
        assert reached == set(group)


def test_case_punctuation_and_order_make_no_other_text() -> None:
    assert similar_groups(["Where is my card?", "my CARD — where is…"], 1.0) == [[0, 1]]


@given(examples=many)
def test_a_run_that_ships_learns_from_what_was_held_out(examples: list[Example]) -> None:
    split, whole = split_examples(examples), split_examples(examples).whole()
    assert sorted(whole.train, key=repr) == sorted((*split.train, *split.heldout), key=repr)
    assert (whole.calibration, whole.heldout) == (split.calibration, ())
