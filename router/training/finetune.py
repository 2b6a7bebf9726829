"""Fine-tuning the encoder and its heads together, resumable at each epoch's end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from router.training import checkpoint
from router.training.batches import batch_order, padded, token_ids
from router.training.encoder import WORDS, encode, pool, shape_of
from router.training.heads import INTENT, SCOPE
from router.training.recipe import Recipe
from router.training.variation import varied

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Lesson:
    """Texts to learn from. ``intents`` holds the index of each text's intent; ``own`` and
    ``foreign`` are texts without an intent of ours, in and out of scope."""

    texts: tuple[str, ...]
    intents: tuple[int, ...]
    own: tuple[str, ...]
    foreign: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Batch:
    ids: torch.Tensor
    mask: torch.Tensor
    intents: torch.Tensor
    in_scope: torch.Tensor


def finetune(
    weights: dict[str, torch.Tensor],
    tokenizer: Tokenizer,
    lesson: Lesson,
    recipe: Recipe,
    *,
    folder: Path,
    tell: Tell,
) -> dict[str, torch.Tensor]:
    """The weights after ``recipe.epochs``; the word vectors stay as they came.

    Each epoch's end is written to ``folder``; a run that finds one there goes on from it, and
    gives what an unbroken run would have given on the same machine.
    """
    import torch  # noqa: PLC0415 - heavy: only when training

    trained = {n: t.clone().requires_grad_() for n, t in weights.items() if n != WORDS}
    heads = [t for n, t in trained.items() if n.startswith("head.")]
    body = [t for n, t in trained.items() if not n.startswith("head.")]
    optimiser = torch.optim.AdamW(
        [{"params": body, "peak": recipe.rate}, {"params": heads, "peak": recipe.head_rate}],
        weight_decay=recipe.decay,
    )
    per_epoch = -(-(len(lesson.texts) + recipe.own + recipe.foreign) // recipe.batch)
    total = per_epoch * recipe.epochs
    everything = {**trained, WORDS: weights[WORDS]}
    for epoch in range(checkpoint.restore(folder, trained, optimiser), recipe.epochs):
        torch.manual_seed(recipe.seed * 1000 + epoch)
        began, losses = time.monotonic(), []
        for number, batch in enumerate(_epoch(lesson, tokenizer, recipe, epoch)):
            step = epoch * per_epoch + number
            for group in optimiser.param_groups:
                group["lr"] = group["peak"] * _share_of_peak(step, total, recipe.warmup)
            loss = _loss(everything, batch, recipe)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_([*body, *heads], 1.0)
            optimiser.step()
            losses.append(loss.item())
            if number % 50 == 49:
                took = time.monotonic() - began
                mean = np.mean(losses[-50:])
                tell(f"epoch {epoch + 1}, {number + 1}/{per_epoch}: loss {mean:.3f}, {took:.0f} s")
        checkpoint.save(folder, trained, optimiser, epoch + 1)
    return {name: tensor.detach() for name, tensor in everything.items()}


def _share_of_peak(step: int, total: int, warmup: float) -> float:
    """Up in a straight line over the warm-up, then down in one to zero at ``total``."""
    rising = max(1.0, warmup * total)
    return min((step + 1) / rising, max(0.0, (total - step) / max(1.0, total - rising)))


def _epoch(lesson: Lesson, tokenizer: Tokenizer, recipe: Recipe, epoch: int) -> Iterator[_Batch]:
    import torch  # noqa: PLC0415 - heavy: only when training

    random = np.random.default_rng((recipe.seed, epoch))
    own = random.choice(lesson.own, min(recipe.own, len(lesson.own)), replace=False)
    foreign = random.choice(lesson.foreign, min(recipe.foreign, len(lesson.foreign)), replace=False)
    texts = [varied(str(text), random) for text in (*lesson.texts, *own, *foreign)]
    intents = np.array([*lesson.intents, *[-1] * (len(own) + len(foreign))])
    in_scope = np.ones(len(texts), np.float32)
    in_scope[len(texts) - len(foreign) :] = 0
    rows = token_ids(tokenizer, texts, recipe.max_tokens)
    for chosen in batch_order([len(row) for row in rows], recipe.batch, random):
        ids, mask = map(torch.from_numpy, padded([rows[index] for index in chosen]))
        yield _Batch(ids, mask, *map(torch.from_numpy, (intents[chosen], in_scope[chosen])))


def _loss(weights: dict[str, torch.Tensor], batch: _Batch, recipe: Recipe) -> torch.Tensor:
    import torch.nn.functional as f  # noqa: PLC0415 - heavy: only when training

    vectors = encode(weights, shape_of(weights), batch.ids, batch.mask, recipe.dropout)
    pooled = f.dropout(pool(vectors, batch.mask), recipe.dropout)
    logits = f.linear(pooled, weights[f"{INTENT}.weight"], weights[f"{INTENT}.bias"])
    scope = f.linear(pooled, weights[f"{SCOPE}.weight"], weights[f"{SCOPE}.bias"]).squeeze(1)
    known = batch.intents >= 0
    # Summed over the batch's known rows and divided by its size: each text weighs the same.
    intent_loss = f.cross_entropy(
        logits[known], batch.intents[known], label_smoothing=recipe.smoothing, reduction="sum"
    ) / len(known)
    scope_loss = f.binary_cross_entropy_with_logits(scope, batch.in_scope)
    return intent_loss + recipe.scope_weight * scope_loss
