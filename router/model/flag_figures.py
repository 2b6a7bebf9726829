"""How well a classifier raises safety flags, at a policy's thresholds. Pure numpy.

Of the model alone: a policy's rules, which read words, raise more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from router.model import metrics
from router.model.breakdown import share_interval
from router.model.intervals import separation_interval
from router.model.judged import Answered
from router.model.metrics import Bools, Floats


@dataclass(frozen=True, slots=True)
class Flagged:
    """Texts by flags: whether each is ``due``, its ``probability`` (0 where the model does not know
    it), and whether it is ``raised``. A flag without a threshold is never raised, as a policy that
    does not name it never acts on it."""

    names: tuple[str, ...]
    known: frozenset[str]
    thresholds: Mapping[str, float]
    due: Bools
    probability: Floats
    raised: Bools

    def only(self, chosen: Bools) -> Flagged:
        return Flagged(
            self.names, self.known, self.thresholds,
            self.due[chosen], self.probability[chosen], self.raised[chosen],
        )  # fmt: skip


def flag_figures(
    answered: Answered, known: Sequence[str], thresholds: Mapping[str, float]
) -> dict[str, Any] | None:
    """The figures of the texts of which the flags are told, and each language's; None where there
    is no such text.

    ``known`` are the model's flags; ``thresholds`` are the policy's, with which it raises them.
    """
    told = answered.only(lambda row: row.flags is not None)
    if not told.rows:
        return None
    flagged = flagged_of(told, known, thresholds)
    languages = np.array([row.language for row in told.rows])
    return {
        **_figures(flagged),
        "per_language": {
            language: _figures(flagged.only(languages == language)) for language in told.languages
        },
    }


def flagged_of(told: Answered, known: Sequence[str], thresholds: Mapping[str, float]) -> Flagged:
    """The columns of ``told``; the flags in the order of the policy, then of their names."""
    named = {flag for row in told.rows for flag in row.flags or ()} | set(known)
    names = (*thresholds, *sorted(named - thresholds.keys()))
    place = {name: number for number, name in enumerate(names)}
    due = np.zeros((len(told.rows), len(names)), bool)
    probability = np.zeros(due.shape)
    for number, (row, answer) in enumerate(zip(told.rows, told.answers, strict=True)):
        due[number, [place[flag] for flag in row.flags or ()]] = True
        for score in answer.flags:
            probability[number, place[score.flag]] = score.probability
    least = np.array([thresholds.get(name, np.inf) for name in names])
    raised = probability >= least
    raised[:, [name not in known for name in names]] = False
    return Flagged(names, frozenset(known), thresholds, due, probability, raised)


def _figures(flagged: Flagged) -> dict[str, Any]:
    return {
        "n": len(flagged.due),
        "any": _any(flagged),
        "per_flag": {
            name: _one(flagged, number)
            for number, name in enumerate(flagged.names)
            if name in flagged.known or flagged.due[:, number].any()
        },
    }


def _any(flagged: Flagged) -> dict[str, Any]:
    """``recall``: of the texts with a flag those on which any is raised; ``own_recall``: on which
    one of their own is; ``false_alarms``: of the texts without a flag those on which any is."""
    due, raised = _any_of(flagged.due), _any_of(flagged.raised)
    own = _any_of(flagged.due & flagged.raised)
    best = flagged.probability.max(axis=1, initial=0.0)
    area = _separation(best, due) if flagged.known else None
    return {
        "n": int(due.sum()),
        "n_none": int((~due).sum()),
        "recall": _share(raised[due]),
        "own_recall": _share(own[due]),
        "false_alarms": _share(raised[~due]),
        "auroc": area,
        "intervals": {
            "recall": share_interval(raised[due]),
            "own_recall": share_interval(own[due]),
            "false_alarms": share_interval(raised[~due]),
            "auroc": separation_interval(area, *_sizes(due)),
        },
    }


def _one(flagged: Flagged, number: int) -> dict[str, Any]:
    """``false_alarms`` are on texts without any flag; ``precision`` counts all texts, and so does
    ``auroc``."""
    name = flagged.names[number]
    due, raised = flagged.due[:, number], flagged.raised[:, number]
    none = ~_any_of(flagged.due)
    area = _separation(flagged.probability[:, number], due) if name in flagged.known else None
    return {
        "n": int(due.sum()),
        "threshold": flagged.thresholds.get(name),
        "recall": _share(raised[due]),
        "precision": _share(due[raised]),
        "false_alarms": _share(raised[none]),
        "auroc": area,
        "intervals": {
            "recall": share_interval(raised[due]),
            "precision": share_interval(due[raised]),
            "false_alarms": share_interval(raised[none]),
            "auroc": separation_interval(area, *_sizes(due)),
        },
    }


def _any_of(columns: Bools) -> Bools:
    return np.asarray(columns.any(axis=1), np.bool_)


def _share(hits: Bools) -> float | None:
    return float(hits.mean()) if len(hits) else None


def _sizes(due: Bools) -> tuple[int, int]:
    return int(due.sum()), int((~due).sum())


def _separation(probability: Floats, due: Bools) -> float | None:
    if due.all() or not due.any():
        return None
    return metrics.separation(probability[due], probability[~due])
