"""Near-duplicate texts, found so that no pair of them stands on both sides of a split."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

_WORD = re.compile(r"[^\W_]+")


def words_of(text: str) -> frozenset[str]:
    """The text's words without case, punctuation and order."""
    return frozenset(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


def similar_groups(texts: Sequence[str], least: float) -> list[list[int]]:
    """Indices of ``texts`` in groups: two are together when a chain of pairs joins them whose
    words have a Jaccard similarity of at least ``least`` (0 to 1). Each index comes once."""
    bags = [words_of(text) for text in texts]
    parent = list(range(len(texts)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    for index, other in _similar_pairs(bags, least):
        parent[root(index)] = root(other)
    groups: dict[int, list[int]] = defaultdict(list)
    for index in range(len(texts)):
        groups[root(index)].append(index)
    return list(groups.values())


def _similar_pairs(bags: Sequence[frozenset[str]], least: float) -> Iterator[tuple[int, int]]:
    # Two bags that are alike enough share one of the few rarest words of each, so only those
    # words are looked up: seconds instead of minutes.
    counts = Counter(word for bag in bags for word in bag)
    holders: dict[str, list[int]] = defaultdict(list)
    for index, bag in enumerate(bags):
        ordered = sorted(bag, key=lambda word: (counts[word], word))
        rare = ordered[: len(bag) - math.ceil(least * len(bag)) + 1]
        for other in {other for word in rare for other in holders[word]}:
            common = len(bag & bags[other])
            if common >= least * (len(bag) + len(bags[other]) - common):
                yield index, other
        for word in rare:
            holders[word].append(index)
