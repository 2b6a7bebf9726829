"""What an evaluation says, as pure functions of answers and truths. Pure numpy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

RISKS = (0.01, 0.02, 0.05)
BINS = 15


def macro_f1(truth: Sequence[Any] | Ints, answer: Sequence[Any] | Ints) -> float:
    """The mean F1 over the labels that ``truth`` or ``answer`` holds; 0 where there are none."""
    if not len(truth):
        return 0.0
    names, codes = np.unique(np.concatenate((truth, answer)), return_inverse=True)
    real, claimed = codes[: len(truth)], codes[len(truth) :]
    hits = np.bincount(real[real == claimed], minlength=len(names))
    return float(np.mean(2 * hits / np.bincount(codes)))


def bins_of_equal_mass(confidence: Floats, bins: int = BINS) -> list[Ints]:
    """The places of ``confidence``, the least sure first, in ``bins`` parts as alike in size as can
    be; none is empty."""
    order = np.argsort(confidence, kind="stable")
    return [part for part in np.array_split(order, bins) if len(part)]


def calibration_error(confidence: Floats, right: Bools, bins: int = BINS) -> float:
    """Expected calibration error over ``bins`` of equal mass: by how much the confidence of the
    top answer misses its accuracy, weighted by the bins' sizes."""
    parts = bins_of_equal_mass(confidence, bins)
    gaps = [len(part) * abs(confidence[part].mean() - right[part].mean()) for part in parts]
    return float(sum(gaps) / max(1, len(confidence)))


def squared_distances(probabilities: Floats, truth: Ints) -> Floats:
    """Each text's squared distance to the truth, from 0 to 2: their mean is the Brier score.
    ``probabilities`` is texts by intents; a truth of −1 is an intent that the model does not
    know."""
    aim = np.zeros_like(probabilities)
    known = truth >= 0
    aim[np.flatnonzero(known), truth[known]] = 1
    return np.asarray(((probabilities - aim) ** 2).sum(axis=1) + ~known)


def risk_curve(confidence: Floats, right: Bools) -> tuple[Floats, Floats, Floats]:
    """Shares answered, the error among those, and the confidence of the last of them, as the surest
    are answered first.

    Texts of one confidence are answered together: no threshold can part them.
    """
    order = np.argsort(-confidence, kind="stable")
    answered = np.arange(1, len(order) + 1)
    errors = np.cumsum(~right[order])
    ends = np.append(np.diff(confidence[order]) != 0, True) if len(order) else np.zeros(0, bool)
    shares = answered[ends] / max(1, len(order))
    return shares, errors[ends] / answered[ends], confidence[order][ends]


def area_under_risk(confidence: Floats, right: Bools) -> float:
    """The mean error over all shares answered (AURC); less is better."""
    coverage, risk, _ = risk_curve(confidence, right)
    return float(np.sum(np.diff(coverage, prepend=0.0) * risk))


def coverage_at_risk(confidence: Floats, right: Bools) -> dict[str, float]:
    """The largest share answered whose error is at most each of `RISKS`; 0 where none is."""
    coverage, risk, _ = risk_curve(confidence, right)
    return {str(limit): float(coverage[risk <= limit].max(initial=0.0)) for limit in RISKS}


def separation(above: Floats, below: Floats) -> float:
    """The area under the ROC curve: how often one of ``above`` scores above one of ``below``, ties
    counting half."""
    scores = np.concatenate((above, below))
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[place]
    higher = rank[: len(above)].sum() - len(above) * (len(above) + 1) / 2
    return float(higher / (len(above) * len(below)))


def false_in_scope_at_95(inside: Floats, outside: Floats) -> float:
    """The share of texts out of scope that pass where 95 % of those in scope do."""
    threshold = np.quantile(inside, 0.05, method="lower")
    return float((outside >= threshold).mean())
