"""Measuring a classifier on labelled texts, under the names that others read."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from router.core.prediction import Classifier, Prediction, Question
from router.model import metrics
from router.model.labelled import IN_SCOPE, OUT_OF_SCOPE, Labelled

_TIMED = 200
"""So many texts are asked one at a time, for `ms_p50`."""

_TOGETHER = 128

_SCOPE_ONLY = frozenset({IN_SCOPE, OUT_OF_SCOPE})


@dataclass(frozen=True, slots=True)
class _Judged:
    """Texts in scope with their answers."""

    rows: Sequence[Labelled]
    answers: Sequence[Prediction]
    queue_of: Callable[[str], str]

    @property
    def confidence(self) -> metrics.Floats:
        return np.array([answer.intents[0].confidence for answer in self.answers])

    @property
    def right(self) -> metrics.Bools:
        pairs = zip(self.rows, self.answers, strict=True)
        return np.array([row.label == answer.intents[0].intent for row, answer in pairs], bool)

    @property
    def queues(self) -> list[tuple[str, str]]:
        """The right queue and the answer's, for each text."""
        pairs = zip(self.rows, self.answers, strict=True)
        return [
            (self.queue_of(row.label), self.queue_of(answer.intents[0].intent))
            for row, answer in pairs
        ]

    @property
    def queue_right(self) -> metrics.Bools:
        return np.array([wanted == given for wanted, given in self.queues], bool)


def evaluate(
    classifier: Classifier,
    rows: Sequence[Labelled],
    queue_of: Callable[[str], str],
    advance: Callable[[int], None] = lambda _: None,
) -> dict[str, Any]:
    """The metrics of ``classifier`` on ``rows``.

    Accuracy and what follows from it count the rows labelled with an intent; ``oos_*`` compare the
    rows in scope with those out of it, ``*_kept`` are the shares with an in-scope probability of
    at least a half; null where a kind has no rows. ``queue_of`` gives an intent's queue;
    ``advance`` is told how many texts have been answered since last.

    Raises:
        ModelError: the classifier failed.
    """
    answers: list[Prediction] = []
    for start in range(0, len(rows), _TOGETHER):
        some = [Question(row.text, row.language) for row in rows[start : start + _TOGETHER]]
        answers += classifier.predict(some).answers
        advance(len(some))
    pairs = list(zip(rows, answers, strict=True))
    inside = [(row, answer) for row, answer in pairs if row.label not in _SCOPE_ONLY]
    judged = _Judged([row for row, _ in inside], [answer for _, answer in inside], queue_of)
    return {
        "n": len(rows),
        "n_intent": len(inside),
        **(_intents(judged, classifier.intents) if inside else {}),
        **_scope(pairs),
        "ms_p50": _milliseconds(classifier, rows),
        "per_language": _per_language(judged),
        "per_queue": _per_queue(judged),
    }


def _scope(pairs: Sequence[tuple[Labelled, Prediction]]) -> dict[str, Any]:
    inside = np.array([answer.in_scope for row, answer in pairs if row.label != OUT_OF_SCOPE])
    outside = np.array([answer.in_scope for row, answer in pairs if row.label == OUT_OF_SCOPE])
    both = len(inside) > 0 and len(outside) > 0
    return {
        "n_in_scope": len(inside),
        "n_out_of_scope": len(outside),
        "oos_auroc": metrics.separation(inside, outside) if both else None,
        "oos_fpr95": metrics.false_in_scope_at_95(inside, outside) if both else None,
        "in_scope_kept": float((inside >= 0.5).mean()) if len(inside) else None,
        "out_of_scope_kept": float((outside >= 0.5).mean()) if len(outside) else None,
    }


def _intents(judged: _Judged, intents: Sequence[str]) -> dict[str, Any]:
    confidence, right, queue_right = judged.confidence, judged.right, judged.queue_right
    truth = [row.label for row in judged.rows]
    given = [answer.intents[0].intent for answer in judged.answers]
    index = {intent: number for number, intent in enumerate(intents)}
    probabilities = np.zeros((len(truth), len(intents)))
    for row, answer in enumerate(judged.answers):
        for score in answer.intents:
            probabilities[row, index[score.intent]] = score.confidence
    sets = [answer.likely for answer in judged.answers]
    return {
        "accuracy": float(right.mean()),
        "macro_f1": metrics.macro_f1(truth, given),
        "queue_accuracy": float(queue_right.mean()),
        "ece": metrics.calibration_error(confidence, right),
        "brier": metrics.brier(probabilities, np.array([index.get(t, -1) for t in truth])),
        "aurc": metrics.area_under_risk(confidence, right),
        "coverage_at_risk": metrics.coverage_at_risk(confidence, right),
        "queue_coverage_at_risk": metrics.coverage_at_risk(confidence, queue_right),
        "set_coverage": float(np.mean([t in s for t, s in zip(truth, sets, strict=True)])),
        "set_size": float(np.mean([len(s) for s in sets])),
    }


def _milliseconds(classifier: Classifier, rows: Sequence[Labelled]) -> float:
    """The median time of one text asked alone, in milliseconds."""
    every = max(1, len(rows) // _TIMED)
    seconds = []
    for row in rows[::every]:
        began = time.perf_counter()
        classifier.predict([Question(row.text, row.language)])
        seconds.append(time.perf_counter() - began)
    return round(float(np.median(seconds)) * 1000, 3)


def _per_language(judged: _Judged) -> dict[str, dict[str, float]]:
    right, queue_right = judged.right, judged.queue_right
    languages = np.array([row.language for row in judged.rows])
    return {
        str(language): {
            "n": int((languages == language).sum()),
            "accuracy": float(right[languages == language].mean()),
            "queue_accuracy": float(queue_right[languages == language].mean()),
        }
        for language in np.unique(languages)
    }


def _per_queue(judged: _Judged) -> dict[str, dict[str, float | None]]:
    """Recall is of the texts that belong there, precision of those that would be sent there."""
    queues = judged.queues
    report: dict[str, dict[str, float | None]] = {}
    for queue in sorted({name for pair in queues for name in pair}):
        hits = sum(wanted == given == queue for wanted, given in queues)
        wanted_here = sum(wanted == queue for wanted, _ in queues)
        given_here = sum(given == queue for _, given in queues)
        report[queue] = {
            "n": wanted_here,
            "recall": hits / wanted_here if wanted_here else None,
            "precision": hits / given_here if given_here else None,
        }
    return report
