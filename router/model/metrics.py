"""What an evaluation says, as pure functions of answers and truths. Pure numpy."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

RISKS = (0.01, 0.02, 0.05)


def macro_f1(truth: Sequence[Hashable], answer: Sequence[Hashable]) -> float:
    """The mean F1 over the labels that ``truth`` or ``answer`` holds."""
    labels = set(truth) | set(answer)
    pairs = list(zip(truth, answer, strict=True))
    scores = []
    for label in labels:
        hits = sum(t == label and a == label for t, a in pairs)
        claimed = sum(a == label for a in answer)
        real = sum(t == label for t in truth)
        scores.append(2 * hits / (claimed + real))
    return float(np.mean(scores)) if scores else 0.0


def calibration_error(confidence: Floats, right: Bools, bins: int = 15) -> float:
    """Expected calibration error over ``bins`` of equal mass: by how much the confidence of the
    top answer misses its accuracy, weighted by the bins' sizes."""
    order = np.argsort(confidence, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    gaps = [len(part) * abs(confidence[part].mean() - right[part].mean()) for part in parts]
    return float(sum(gaps) / max(1, len(confidence)))


def brier(probabilities: Floats, truth: npt.NDArray[np.int64]) -> float:
    """The mean over texts of the squared distance to the truth, from 0 to 2. ``probabilities`` is
    texts by intents; a truth of −1 is an intent that the model does not know."""
    aim = np.zeros_like(probabilities)
    known = truth >= 0
    aim[np.flatnonzero(known), truth[known]] = 1
    return float(((probabilities - aim) ** 2).sum(axis=1).mean() + (~known).mean())


def risk_curve(confidence: Floats, right: Bools) -> tuple[Floats, Floats]:
    """Shares answered, and the error among those, as the surest are answered first.

    Texts of one confidence are answered together: no threshold can part them.
    """
    order = np.argsort(-confidence, kind="stable")
    answered = np.arange(1, len(order) + 1)
    errors = np.cumsum(~right[order])
    ends = np.append(np.diff(confidence[order]) != 0, True)
    return answered[ends] / len(order), errors[ends] / answered[ends]


def area_under_risk(confidence: Floats, right: Bools) -> float:
    """The mean error over all shares answered (AURC); less is better."""
    coverage, risk = risk_curve(confidence, right)
    return float(np.sum(np.diff(coverage, prepend=0.0) * risk))


def coverage_at_risk(confidence: Floats, right: Bools) -> dict[str, float]:
    """The largest share answered whose error is at most each of `RISKS`; 0 where none is."""
    coverage, risk = risk_curve(confidence, right)
    return {str(limit): float(coverage[risk <= limit].max(initial=0.0)) for limit in RISKS}


def separation(inside: Floats, outside: Floats) -> float:
    """The area under the ROC curve: how often a text in scope scores above one out of scope, ties
    counting half."""
    scores = np.concatenate((inside, outside))
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[place]
    above = rank[: len(inside)].sum() - len(inside) * (len(inside) + 1) / 2
    return float(above / (len(inside) * len(outside)))


def false_in_scope_at_95(inside: Floats, outside: Floats) -> float:
    """The share of texts out of scope that pass where 95 % of those in scope do."""
    threshold = np.quantile(inside, 0.05, method="lower")
    return float((outside >= threshold).mean())
