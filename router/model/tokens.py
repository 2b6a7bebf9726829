"""Texts as token ids: what of a long text is read, and which texts share a batch."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from tokenizers import Tokenizer

HEAD_SHARE = 0.75
"""Of a text that is too long the head says what it is about; its tail often asks for it."""

CHARACTERS_PER_TOKEN = 32
"""Only so many characters for each token of the limit are tokenised, of head and tail each: a
megabyte of text would hold a batch up for a second to no end."""

_WIDTHS = (8, 12, 16, 20, 24, 32, 40, 48, 64, 80, 96, 128, 192, 256, 384, 512)

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Tokens:
    """Each text's ids, in order, and whether it was ``truncated``."""

    ids: list[list[int]]
    truncated: list[bool]


def tokenise(tokenizer: Tokenizer, texts: Sequence[str], max_tokens: int) -> Tokens:
    """Each of ``texts`` as at most ``max_tokens`` ids, the special ones at both ends among them.

    A longer text keeps its head and its tail, `HEAD_SHARE` of the room for the head.
    """
    reach = max_tokens * CHARACTERS_PER_TOKEN
    truncated = [len(text) > 2 * reach for text in texts]
    if any(truncated):
        texts = [
            f"{text[:reach]} {text[-reach:]}" if cut else text
            for text, cut in zip(texts, truncated, strict=True)
        ]
    # The fast one does not tell where in the text a token was.
    ids: list[list[int]] = [one.ids for one in tokenizer.encode_batch_fast(texts)]
    head = int(max_tokens * HEAD_SHARE)
    for index, one in enumerate(ids):
        if len(one) > max_tokens:
            ids[index] = one[:head] + one[head - max_tokens :]
            truncated[index] = True
    return Tokens(ids, truncated)


def width_of(tokens: int, max_tokens: int) -> int:
    """The padded length of a text of so many ``tokens``: a function of its own length alone, so
    that a text is always computed in the same shape, whatever its batch mates."""
    place = bisect_left(_WIDTHS, tokens)
    return min(_WIDTHS[place], max_tokens) if place < len(_WIDTHS) else max_tokens


def by_width(lengths: Sequence[int], max_tokens: int, room: int) -> list[tuple[int, list[int]]]:
    """Indices of texts of these ``lengths`` by padded length, each group of at most ``room``
    tokens in all.

    The room bounds the memory that a batch takes, however large it is.
    """
    groups: dict[int, list[int]] = {}
    for index, length in enumerate(lengths):
        groups.setdefault(width_of(length, max_tokens), []).append(index)
    cut = []
    for width in sorted(groups):
        rows = max(1, room // width)
        indices = groups[width]
        cut += [(width, indices[at : at + rows]) for at in range(0, len(indices), rows)]
    return cut


def padded_to(width: int, ids: Sequence[Sequence[int]]) -> tuple[Integers, Integers]:
    """``ids`` in rows of ``width``, filled up with zeros, and the mask that tells these apart."""
    lengths = np.fromiter(map(len, ids), np.int64, len(ids))
    there = np.arange(width) < lengths[:, np.newaxis]
    rows = np.zeros(there.shape, np.int64)
    rows[there] = np.fromiter(chain.from_iterable(ids), np.int64)
    return rows, there.astype(np.int64)
