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
from router.training.heads import FLAGS, INTENT, SCOPE
from router.training.lesson import Lesson, joined
from router.training.recipe import Recipe
from router.training.teacher import Opinions
from router.training.variation import varied

if TYPE_CHECKING:
    import numpy.typing as npt
    import torch
    from tokenizers import Tokenizer

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Course:
    """``whole`` is seen in every epoch; of each of ``drawn``, so many texts, drawn anew. ``said``
    is what teachers say of the texts, or of some of them. ``labels`` is the number of intents."""

    whole: Lesson
    drawn: tuple[tuple[Lesson, int], ...]
    labels: int
    said: Opinions | None = None

    def epoch(self, random: np.random.Generator) -> Lesson:
        some = [
            lesson.of(random.choice(len(lesson), min(count, len(lesson)), replace=False))
            for lesson, count in self.drawn
        ]
        return joined([self.whole, *some])

    @property
    def size(self) -> int:
        """Texts an epoch."""
        return len(self.whole) + sum(min(count, len(lesson)) for lesson, count in self.drawn)


@dataclass(frozen=True, slots=True)
class _Batch:
    ids: torch.Tensor
    mask: torch.Tensor
    intents: torch.Tensor
    """Probabilities (texts, labels); all 0 where a text has no intent."""
    scope: torch.Tensor
    flags: torch.Tensor


def finetune(
    weights: dict[str, torch.Tensor],
    tokenizer: Tokenizer,
    course: Course,
    recipe: Recipe,
    *,
    folder: Path,
    device: str,
    tell: Tell,
) -> dict[str, torch.Tensor]:
    """The weights after ``recipe.epochs``; the word vectors stay as they came.

    Each epoch's end is written to ``folder``; a run that finds one there goes on from it, and
    gives what an unbroken run would have given on the same machine and ``device`` (torch's name).
    """
    import torch  # noqa: PLC0415 - heavy: only when training

    words = weights[WORDS].to(device)
    trained = {
        name: tensor.to(device, copy=True).requires_grad_()
        for name, tensor in weights.items()
        if name != WORDS
    }
    heads = [t for n, t in trained.items() if n.startswith("head.")]
    body = [t for n, t in trained.items() if not n.startswith("head.")]
    optimiser = torch.optim.AdamW(
        [{"params": body, "peak": recipe.rate}, {"params": heads, "peak": recipe.head_rate}],
        weight_decay=recipe.decay,
    )
    per_epoch = -(-course.size // recipe.batch)
    total = per_epoch * recipe.epochs
    everything = {**trained, WORDS: words}
    for epoch in range(checkpoint.restore(folder, trained, optimiser), recipe.epochs):
        torch.manual_seed(recipe.seed * 1000 + epoch)
        began, losses = time.monotonic(), []
        for number, batch in enumerate(_epoch(course, tokenizer, recipe, epoch, device)):
            step = epoch * per_epoch + number
            for group in optimiser.param_groups:
                group["lr"] = group["peak"] * share_of_peak(step, total, recipe.warmup)
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
    return {name: tensor.detach().cpu() for name, tensor in everything.items()}


def share_of_peak(step: int, total: int, warmup: float) -> float:
    """Up in a straight line over the warm-up, then down in one to zero at ``total``."""
    rising = max(1.0, warmup * total)
    return min((step + 1) / rising, max(0.0, (total - step) / max(1.0, total - rising)))


def _epoch(
    course: Course, tokenizer: Tokenizer, recipe: Recipe, epoch: int, device: str
) -> Iterator[_Batch]:
    import torch  # noqa: PLC0415 - heavy: only when training

    random = np.random.default_rng((recipe.seed, epoch))
    lesson = course.epoch(random)
    rows = token_ids(tokenizer, [varied(t, random) for t in lesson.texts], recipe.max_tokens)
    for chosen in batch_order([len(row) for row in rows], recipe.batch, random):
        some = lesson.of(chosen)
        intents = targets(some, course, recipe)
        arrays = (*padded([rows[index] for index in chosen]), intents, some.scope, some.flags)
        yield _Batch(*(torch.from_numpy(array).to(device) for array in arrays))


def targets(lesson: Lesson, course: Course, recipe: Recipe) -> npt.NDArray[np.float32]:
    """What is to be learnt of the intents: probabilities (texts, labels), all 0 for a text that has
    none. A label is smoothed, and shared with what the teachers say where they say something."""
    found = np.zeros((len(lesson), course.labels), np.float32)
    known = np.flatnonzero(lesson.intents >= 0)
    found[known] = recipe.smoothing / course.labels
    found[known, lesson.intents[known]] += 1 - recipe.smoothing
    if course.said is not None:
        heard, probabilities = course.said.of(lesson.texts)
        heard &= lesson.intents >= 0
        found[heard] *= 1 - recipe.taught
        found[heard] += recipe.taught * probabilities[heard]
    return found


def _loss(weights: dict[str, torch.Tensor], batch: _Batch, recipe: Recipe) -> torch.Tensor:
    """Each part is summed over the texts that teach it and divided by the batch's size: each text
    weighs the same, whatever its mates teach."""
    import torch.nn.functional as f  # noqa: PLC0415 - heavy: only when training

    vectors = encode(weights, shape_of(weights), batch.ids, batch.mask, recipe.dropout)
    pooled = f.dropout(pool(vectors, batch.mask), recipe.dropout)

    def logits(head: str) -> torch.Tensor:
        return f.linear(pooled, weights[f"{head}.weight"], weights[f"{head}.bias"])

    size = len(batch.intents)
    loss = f.cross_entropy(logits(INTENT), batch.intents, reduction="sum")
    for head, truth, weight in (
        (SCOPE, batch.scope.unsqueeze(1), recipe.scope_weight),
        (FLAGS, batch.flags, recipe.flags_weight),
    ):
        if f"{head}.weight" not in weights:
            continue
        of_head = logits(head)
        loss = loss + weight * f.binary_cross_entropy_with_logits(
            of_head, truth.to(of_head.dtype), reduction="sum"
        )
    return loss / size
