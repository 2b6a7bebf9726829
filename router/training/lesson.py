"""What a run learns from: every text with what is known of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from router.model.labelled import OUT_OF_SCOPE
from router.training.examples import Example
from router.training.own import FLAGS, FRAUD_INTENTS, Message

UNKNOWN = -1
"""In place of an intent, a scope or a flag: the text teaches nothing of it."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Lesson:
    """``intents`` (texts) are indices of labels; ``scope`` (texts) is 1 in and 0 out; ``flags``
    (texts by `FLAGS`) are 1 and 0; each may be `UNKNOWN`. ``drawn`` are texts of which an epoch
    sees some alone, a group of ``Draw`` at a time."""

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


def from_banking(examples: Sequence[Example], labels: Sequence[str]) -> Lesson:
    """BANKING77's texts: in scope, flagged `fraud` where their intent is of that kind."""
    index = {label: number for number, label in enumerate(labels)}
    flags = np.zeros((len(examples), len(FLAGS)), np.int64)
    flags[:, FLAGS.index("fraud")] = [e.label in FRAUD_INTENTS for e in examples]
    return Lesson(
        tuple(e.text for e in examples),
        np.array([index[e.label] for e in examples], np.int64),
        np.ones(len(examples), np.int64),
        flags,
    )


def from_clinc(examples: Sequence[Example], *, in_scope: bool) -> Lesson:
    """CLINC150's texts teach scope alone; what is out of scope has no flag."""
    count = len(examples)
    return Lesson(
        tuple(e.text for e in examples),
        np.full(count, UNKNOWN, np.int64),
        np.full(count, int(in_scope), np.int64),
        np.full((count, len(FLAGS)), UNKNOWN if in_scope else 0, np.int64),
    )


def from_own(messages: Sequence[Message], labels: Sequence[str]) -> Lesson:
    """Our own messages teach all three."""
    index = {label: number for number, label in enumerate(labels)}
    return Lesson(
        tuple(m.text for m in messages),
        np.array([index.get(m.label, UNKNOWN) for m in messages], np.int64),
        np.array([m.label != OUT_OF_SCOPE for m in messages], np.int64),
        np.array([[flag in m.flags for flag in FLAGS] for m in messages], np.int64).reshape(
            len(messages), len(FLAGS)
        ),
    )
