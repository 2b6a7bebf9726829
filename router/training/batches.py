"""Texts as padded batches of token ids, in an order that a seed fixes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tokenizers import Tokenizer

from router.model.tokens import padded_to

if TYPE_CHECKING:
    import numpy.typing as npt

Ids = tuple[int, ...]


def bare_tokenizer(folder: Path) -> Tokenizer:
    """The folder's ``tokenizer.json`` without padding and truncation, which are ours to do."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def token_ids(tokenizer: Tokenizer, texts: Sequence[str], max_tokens: int) -> list[Ids]:
    """Ids of each text with its special tokens, cut to ``max_tokens``."""
    encoded = tokenizer.encode_batch_fast(list(texts))
    return [(*e.ids[: max_tokens - 1], e.ids[-1]) if len(e.ids) > max_tokens else tuple(e.ids)
            for e in encoded]  # fmt: skip


def padded(rows: Sequence[Ids]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Ids and mask as rectangles, padded with 0 to the longest."""
    return padded_to(max(map(len, rows)), rows)


def batch_order(
    lengths: Sequence[int], size: int, random: np.random.Generator
) -> Iterator[npt.NDArray[np.int64]]:
    """Every index once, in batches of ``size`` whose texts are of like length.

    The texts are shuffled, cut into stretches of 40 batches, sorted by length within a stretch,
    and the batches shuffled again: little padding, and still another mix each epoch.
    """
    order = random.permutation(len(lengths))
    batches = []
    for start in range(0, len(order), 40 * size):
        stretch = order[start : start + 40 * size]
        stretch = stretch[np.argsort(np.asarray(lengths)[stretch], kind="stable")]
        batches += [stretch[at : at + size] for at in range(0, len(stretch), size)]
    for index in random.permutation(len(batches)):
        yield batches[index]
