"""What encoders as they came say of texts that they were not taught: softer truth than a label.

The pooled vectors of each encoder stand side by side; a logistic regression on them is fitted on
four fifths of the texts and asked about the last, in turn, near-duplicates together. So a label
that is wrong, or one of two that fit, weighs less than one that its neighbours bear out: learning
from such answers is a label audit without a knife (Hinton, Vinyals and Dean, Distilling the
knowledge in a neural network, 2015; out of fold as in Northcutt, Jiang and Chuang, Confident
learning, 2021).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from router.training.backbones import Teacher, open_backbone
from router.training.batches import token_ids
from router.training.encoder import shape_of
from router.training.heads import features
from router.training.neighbours import similar_groups
from router.training.split import SIMILAR

if TYPE_CHECKING:
    import numpy.typing as npt

    from router.training.lesson import Ints, Lesson

    Floats = npt.NDArray[np.float32]

FOLDS = 5
STRENGTH = 30.0
"""The regression's ``C`` on vectors of which each teacher's part has length one."""


@dataclass(frozen=True, slots=True)
class Opinions:
    """``probabilities`` (texts, labels) of ``texts``."""

    texts: tuple[str, ...]
    probabilities: Floats
    _rows: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Asked for every batch of every epoch.
        object.__setattr__(self, "_rows", {text: row for row, text in enumerate(self.texts)})

    def of(self, texts: Sequence[str]) -> tuple[npt.NDArray[np.bool_], Floats]:
        """Which of ``texts`` are known, and their probabilities; those of others are 0."""
        row = self._rows
        known = np.array([text in row for text in texts], np.bool_)
        found = np.zeros((len(texts), self.probabilities.shape[1]), np.float32)
        found[known] = self.probabilities[[row[text] for text in texts if text in row]]
        return known, found


def opinions(
    lesson: Lesson,
    labels: int,
    teachers: Sequence[Teacher],
    folder: Path,
    tell: Callable[[str], None],
) -> Opinions:
    """What ``teachers`` say of the texts of ``lesson``, each of which has one of the ``labels``.

    Each one's vectors are kept in ``folder``: they take minutes.
    """
    texts = lesson.texts
    vectors = np.concatenate([_vectors(name, texts, folder, tell) for name in teachers], axis=1)
    tell("asking the teachers")
    return Opinions(texts, out_of_fold(vectors, lesson.intents, labels, folds_of(texts)))


def folds_of(texts: Sequence[str]) -> Ints:
    """The fold of each text; near-duplicates share one, and the order of groups is fixed."""
    fold = np.empty(len(texts), np.int64)
    for number, group in enumerate(similar_groups(texts, SIMILAR)):
        fold[group] = number % FOLDS
    return fold


def out_of_fold(vectors: Floats, intents: Ints, labels: int, folds: Ints) -> Floats:
    """Probabilities (texts, labels) of each text by the regression that has not seen its fold."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - heavy: only in training

    found = np.zeros((len(vectors), labels), np.float32)
    for fold in np.unique(folds):
        asked = folds == fold
        taught = LogisticRegression(C=STRENGTH, max_iter=300).fit(vectors[~asked], intents[~asked])
        found[np.ix_(asked, taught.classes_)] = taught.predict_proba(vectors[asked])
    return found


def _vectors(
    name: Teacher, texts: Sequence[str], folder: Path, tell: Callable[[str], None]
) -> Floats:
    digest = hashlib.sha256("\0".join(texts).encode()).hexdigest()
    kept = folder / f"vectors-{name}-{digest[:16]}.npy"
    if kept.is_file():
        found: Floats = np.load(kept)
        return found
    tell(f"{name}: reading {len(texts)} texts")
    backbone = open_backbone(name, 12)
    rows = token_ids(backbone.tokenizer, texts, 128)
    pooled = features(backbone.weights, shape_of(backbone.weights), rows)
    vectors: Floats = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
    with kept.with_suffix(".partial").open("wb") as stream:
        np.save(stream, vectors)
    kept.with_suffix(".partial").replace(kept)
    return vectors
