"""A classifier's answers beside the truth, as columns that figures are made of."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from router.core.prediction import Classifier, Prediction, Question
from router.model import metrics
from router.model.labelled import IN_SCOPE, OUT_OF_SCOPE, Labelled
from router.model.metrics import Bools, Floats, Ints

_TIMED = 200
"""So many texts are asked one at a time, to time them."""

_TOGETHER = 128

_SCOPE_ONLY = frozenset({IN_SCOPE, OUT_OF_SCOPE})


@dataclass(frozen=True, slots=True)
class Answered:
    """Labelled texts with their answers."""

    rows: tuple[Labelled, ...]
    answers: tuple[Prediction, ...]

    def only(self, chosen: Callable[[Labelled], bool]) -> Answered:
        """The texts that are ``chosen``."""
        kept = [(r, a) for r, a in zip(self.rows, self.answers, strict=True) if chosen(r)]
        return Answered(tuple(row for row, _ in kept), tuple(answer for _, answer in kept))

    @property
    def of_intents(self) -> Answered:
        """Those labelled with an intent."""
        return self.only(lambda row: row.label not in _SCOPE_ONLY)

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(sorted({row.language for row in self.rows}))

    @property
    def scopes(self) -> tuple[Floats, Floats]:
        """The in-scope probabilities of the texts in scope, and of those out of it."""
        pairs = list(zip(self.rows, self.answers, strict=True))
        inside = [answer.in_scope for row, answer in pairs if row.label != OUT_OF_SCOPE]
        outside = [answer.in_scope for row, answer in pairs if row.label == OUT_OF_SCOPE]
        return np.array(inside, np.float64), np.array(outside, np.float64)


def ask(
    classifier: Classifier,
    rows: Sequence[Labelled],
    advance: Callable[[int], None] = lambda _: None,
) -> Answered:
    """``rows`` with their answers; ``advance`` is told how many have been answered since last.

    Raises:
        ModelError: the classifier failed.
    """
    answers: list[Prediction] = []
    for start in range(0, len(rows), _TOGETHER):
        some = [Question(row.text, row.language) for row in rows[start : start + _TOGETHER]]
        answers += classifier.predict(some).answers
        advance(len(some))
    return Answered(tuple(rows), tuple(answers))


def milliseconds(classifier: Classifier, rows: Sequence[Labelled]) -> Floats:
    """How long one text asked alone takes, for texts from all over ``rows``."""
    every = max(1, len(rows) // _TIMED)
    taken = []
    for row in rows[::every]:
        began = time.perf_counter()
        classifier.predict([Question(row.text, row.language)])
        taken.append((time.perf_counter() - began) * 1000)
    return np.array(taken, np.float64)


@dataclass(frozen=True, slots=True)
class Judged:
    """Texts labelled with an intent, a row each. ``truth`` and ``given`` are places in ``intents``,
    the queues likewise; ``distance`` is the squared one of the Brier score."""

    intents: tuple[str, ...]
    queues: tuple[str, ...]
    truth: Ints
    given: Ints
    queue_truth: Ints
    queue_given: Ints
    confidence: Floats
    distance: Floats
    in_set: Bools
    set_size: Ints
    language: npt.NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def right(self) -> Bools:
        return np.equal(self.truth, self.given, dtype=np.bool_)

    @property
    def queue_right(self) -> Bools:
        return np.equal(self.queue_truth, self.queue_given, dtype=np.bool_)

    def take(self, chosen: Ints | Bools) -> Self:
        """Some of the rows, by place (one may come again) or by yes and no."""
        columns = {field.name for field in fields(self)} - {"intents", "queues"}
        return replace(self, **{name: getattr(self, name)[chosen] for name in columns})


def judge(answered: Answered, known: Sequence[str], queue_of: Callable[[str], str]) -> Judged:
    """The texts labelled with an intent as columns; ``known`` are the classifier's intents."""
    inside = answered.of_intents
    truth = [row.label for row in inside.rows]
    given = [answer.intents[0].intent for answer in inside.answers]
    intents = tuple(sorted({*truth, *given}))
    queues = tuple(sorted({queue_of(intent) for intent in intents}))
    place = {name: number for number, name in enumerate(intents)}
    queue = np.array([queues.index(queue_of(intent)) for intent in intents], np.int64)
    truth_places = np.array([place[name] for name in truth], np.int64)
    given_places = np.array([place[name] for name in given], np.int64)
    sets = [answer.likely for answer in inside.answers]
    return Judged(
        intents=intents,
        queues=queues,
        truth=truth_places,
        given=given_places,
        queue_truth=queue[truth_places],
        queue_given=queue[given_places],
        confidence=np.array([answer.intents[0].confidence for answer in inside.answers]),
        distance=_distances(inside, known),
        in_set=np.array([t in s for t, s in zip(truth, sets, strict=True)], bool),
        set_size=np.array([len(s) for s in sets], np.int64),
        language=np.array([row.language for row in inside.rows], np.str_),
    )


def _distances(inside: Answered, known: Sequence[str]) -> Floats:
    index = {intent: number for number, intent in enumerate(known)}
    probabilities = np.zeros((len(inside.rows), len(known)))
    for row, answer in enumerate(inside.answers):
        for score in answer.intents:
            probabilities[row, index[score.intent]] = score.confidence
    truth = np.array([index.get(row.label, -1) for row in inside.rows], np.int64)
    return metrics.squared_distances(probabilities, truth)
