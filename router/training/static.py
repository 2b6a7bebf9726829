"""A static stage distilled from a model that was fine-tuned: embeddings without an encoder.

After `model2vec` (Tulkens and van Dongen, 2024): each piece of the vocabulary is shown to the
fine-tuned model by itself, its answer becomes the piece's vector, and principal components make the
vectors short. Then vectors, pairs of neighbours and a small layer are trained to give the answers
that the model gives to whole texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from router.training.batches import Ids, batch_order, padded
from router.training.finetune import Tell, share_of_peak
from router.training.heads import FLAGS, INTENT, SCOPE
from router.training.static_graph import IN, OUT, PAIRS, TOKENS, buckets_of

if TYPE_CHECKING:
    import torch

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticRecipe:
    """``width`` of the vectors, ``hidden`` of the layer, ``buckets`` for pairs; ``variants`` of
    each text are taught."""

    width: int = 96
    hidden: int = 256
    buckets: int = 32_768
    variants: int = 3
    epochs: int = 12
    batch: int = 64
    rate: float = 2e-3
    seed: int = 7


@dataclass(frozen=True, slots=True)
class Answers:
    """The model's numbers, a row a text: ``intents`` (texts by intents) sum to 1; ``scope`` (texts)
    and ``flags`` (texts by flags) are probabilities."""

    intents: Floats
    scope: Floats
    flags: Floats


def first_weights(
    of_pieces: Floats, outputs: tuple[int, int], recipe: StaticRecipe
) -> dict[str, torch.Tensor]:
    """The weights before training. ``of_pieces`` (pieces by outputs) are the model's raw numbers
    for each piece alone: intents, scope and flags side by side, ``outputs`` how many intents and
    flags there are."""
    import torch  # noqa: PLC0415 - heavy: only when training

    intents, flags = outputs
    middle = of_pieces.mean(axis=0)
    _, _, axes = np.linalg.svd(of_pieces - middle, full_matrices=False)
    axes = axes[: recipe.width]
    generator = torch.Generator().manual_seed(recipe.seed)
    head = torch.from_numpy(np.ascontiguousarray(axes.T, np.float32))
    bias = torch.from_numpy(middle.astype(np.float32))
    width = len(axes)
    weights = {
        TOKENS: torch.from_numpy(((of_pieces - middle) @ axes.T).astype(np.float32)),
        PAIRS: torch.zeros(recipe.buckets, width),
        f"{IN}.weight": torch.randn(recipe.hidden, width, generator=generator) * width**-0.5,
        f"{IN}.bias": torch.zeros(recipe.hidden),
        f"{OUT}.weight": torch.zeros(width, recipe.hidden),
        f"{OUT}.bias": torch.zeros(width),
    }
    for name, rows in (
        (INTENT, slice(intents)),
        (SCOPE, slice(intents, intents + 1)),
        (FLAGS, slice(intents + 1, intents + 1 + flags)),
    ):
        weights |= {f"{name}.weight": head[rows].clone(), f"{name}.bias": bias[rows].clone()}
    return weights


def distil(
    weights: dict[str, torch.Tensor],
    rows: Sequence[Ids],
    answers: Answers,
    recipe: StaticRecipe,
    tell: Tell,
) -> dict[str, torch.Tensor]:
    """``weights`` trained so that the static stage gives ``answers`` to the token ids ``rows``.

    There may be more rows than answers: the texts' variants, all texts' first, then all texts'
    second. A step touches few rows of the tables, so those have an optimiser that looks at no
    others.
    """
    import torch  # noqa: PLC0415 - heavy: only when training

    trained = {name: tensor.clone().requires_grad_() for name, tensor in weights.items()}
    tables = [trained.pop(TOKENS), trained.pop(PAIRS)]
    optimisers = (torch.optim.SparseAdam(tables), torch.optim.Adam(trained.values()))
    trained |= {TOKENS: tables[0], PAIRS: tables[1]}
    lengths = [len(row) for row in rows]
    per_epoch = -(-len(rows) // recipe.batch)
    total = per_epoch * recipe.epochs
    wanted = [torch.from_numpy(part) for part in (answers.intents, answers.scope, answers.flags)]
    for epoch in range(recipe.epochs):
        torch.manual_seed(recipe.seed * 1000 + epoch)
        random = np.random.default_rng((recipe.seed, epoch))
        losses = []
        for number, chosen in enumerate(batch_order(lengths, recipe.batch, random)):
            share = share_of_peak(epoch * per_epoch + number, total, 0.1)
            for optimiser in optimisers:
                optimiser.param_groups[0]["lr"] = recipe.rate * share
                optimiser.zero_grad()
            ids, mask = padded([rows[index] for index in chosen])
            given = static_logits(trained, ids, mask, dropout=0.1)
            texts = torch.from_numpy(chosen % len(answers.intents))
            loss = _loss(given, [part[texts] for part in wanted])
            loss.backward()
            for optimiser in optimisers:
                optimiser.step()
            losses.append(loss.item())
        tell(f"static, epoch {epoch + 1} of {recipe.epochs}: loss {np.mean(losses):.3f}")
    return {name: tensor.detach() for name, tensor in trained.items()}


def static_logits(
    weights: dict[str, torch.Tensor],
    ids: npt.NDArray[np.int64],
    mask: npt.NDArray[np.int64],
    dropout: float = 0.0,
) -> list[torch.Tensor]:
    """Logits of intents, scope and flags for a padded batch; what the graph computes."""
    import torch  # noqa: PLC0415 - heavy: only when training
    import torch.nn.functional as f  # noqa: PLC0415 - heavy, likewise

    real = torch.from_numpy(mask).unsqueeze(2).to(torch.float32)
    total = (f.embedding(torch.from_numpy(ids), weights[TOKENS], sparse=True) * real).sum(1)
    bucket = torch.from_numpy(buckets_of(ids, len(weights[PAIRS])))
    total = total + (f.embedding(bucket, weights[PAIRS], sparse=True) * real[:, 1:]).sum(1)
    vector = f.dropout(total / real.sum(1), dropout, training=dropout > 0)

    def dense(name: str, x: torch.Tensor) -> torch.Tensor:
        return f.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    vector = vector + dense(OUT, f.relu(dense(IN, vector)))
    return [dense(INTENT, vector), dense(SCOPE, vector).squeeze(1), dense(FLAGS, vector)]


def _loss(given: list[torch.Tensor], wanted: list[torch.Tensor]) -> torch.Tensor:
    import torch.nn.functional as f  # noqa: PLC0415 - heavy: only when training

    loss = f.cross_entropy(given[0], wanted[0])
    for logits, truth in zip(given[1:], wanted[1:], strict=True):
        loss = loss + f.binary_cross_entropy_with_logits(logits, truth)
    return loss
