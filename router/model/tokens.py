"""Texts as token ids: what of a long text is read, and which texts share a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer

HEAD_SHARE = 0.75
"""Of a text that is too long the head says what it is about; its tail often asks for it."""

CHARACTERS_PER_TOKEN = 32
"""Only so many characters for each token of the limit are tokenised, of head and tail each: a
megabyte of text would hold a batch up for a second to no end."""

_WIDTHS = (8, 12, 16, 20, 24, 32, 40, 48, 64, 80, 96, 128, 192, 256, 384, 512)


@dataclass(frozen=True, slots=True)
class Tokens:
    ids: tuple[int, ...]
    truncated: bool


def tokenise(tokenizer: Tokenizer, text: str, max_tokens: int) -> Tokens:
    """``text`` as at most ``max_tokens`` ids, the special ones at both ends among them.

    A longer text keeps its head and its tail, `HEAD_SHARE` of the room for the head.
    """
    reach = max_tokens * CHARACTERS_PER_TOKEN
    cut = len(text) > 2 * reach
    if cut:
        text = f"{text[:reach]} {text[-reach:]}"
    ids = tokenizer.encode(text).ids
    if len(ids) <= max_tokens:
        return Tokens(tuple(ids), truncated=cut)
    head = int(max_tokens * HEAD_SHARE)
    return Tokens((*ids[:head], *ids[head - max_tokens :]), truncated=True)


def width_of(tokens: int, max_tokens: int) -> int:
    """The padded length of a text of so many ``tokens``: a function of its own length alone, so
    that a text is always computed in the same shape, whatever its batch mates."""
    wide_enough = (width for width in _WIDTHS if width >= tokens)
    return min(next(wide_enough, max_tokens), max_tokens)


def by_width(texts: Sequence[Tokens], max_tokens: int, room: int) -> list[tuple[int, list[int]]]:
    """Indices of ``texts`` by padded length, each group of at most ``room`` tokens in all.

    The room bounds the memory that a batch takes, however large it is.
    """
    groups: dict[int, list[int]] = {}
    for index, tokens in enumerate(texts):
        groups.setdefault(width_of(len(tokens.ids), max_tokens), []).append(index)
    cut = []
    for width in sorted(groups):
        rows = max(1, room // width)
        indices = groups[width]
        cut += [(width, indices[at : at + rows]) for at in range(0, len(indices), rows)]
    return cut
