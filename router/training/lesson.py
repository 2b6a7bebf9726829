"""What a run learns from: every text with what is known of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from router.model.labelled import OUT_OF_SCOPE
from router.training.examples import Example
from router.training.own import FLAGS

NO_INTENT = -1
"""In place of an intent: the text teaches scope and flags alone."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Lesson:
    """``intents`` (texts) are indices of labels or `NO_INTENT`; ``scope`` (texts) is 1 in and 0
    out; ``flags`` (texts by `FLAGS`) are 1 and 0."""

    texts: tuple[str, ...]
    intents: Ints
    scope: Ints
    flags: Ints

    def __len__(self) -> int:
        return len(self.texts)

    def of(self, chosen: Sequence[int] | Ints) -> Lesson:
        """The texts at the places ``chosen``, in their order."""
        places = np.asarray(chosen, np.int64)
        return Lesson(
            tuple(self.texts[place] for place in places),
            self.intents[places],
            self.scope[places],
            self.flags[places],
        )


def joined(lessons: Iterable[Lesson]) -> Lesson:
    """All of them, one after the other; at least one."""
    some = list(lessons)
    return Lesson(
        tuple(text for one in some for text in one.texts),
        np.concatenate([one.intents for one in some]),
        np.concatenate([one.scope for one in some]),
        np.concatenate([one.flags for one in some]),
    )


def lesson_of(examples: Sequence[Example], labels: Sequence[str]) -> Lesson:
    """What ``examples`` teach; a label that is none of ``labels`` says no more than the scope."""
    index = {label: number for number, label in enumerate(labels)}
    return Lesson(
        tuple(e.text for e in examples),
        np.array([index.get(e.label, NO_INTENT) for e in examples], np.int64),
        np.array([e.label != OUT_OF_SCOPE for e in examples], np.int64),
        np.array([[flag in e.flags for flag in FLAGS] for e in examples], np.int64).reshape(
            len(examples), len(FLAGS)
        ),
    )
