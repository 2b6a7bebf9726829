"""Measuring a classifier on labelled texts, under the names that others read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from router.core.prediction import Classifier
from router.model import metrics
from router.model.breakdown import per_language, per_queue
from router.model.judged import Answered, Judged, ask, judge, milliseconds
from router.model.labelled import Labelled

_AT_RISK = ("coverage_at_risk", "queue_coverage_at_risk")


def evaluate(
    classifier: Classifier,
    rows: Sequence[Labelled],
    queue_of: Callable[[str], str],
    advance: Callable[[int], None] = lambda _: None,
) -> dict[str, Any]:
    """The metrics of ``classifier`` on ``rows``, few enough for a manifest; those of
    `router.model.assessing` are more.

    Accuracy and what follows from it count the rows labelled with an intent; ``oos_*`` compare the
    rows in scope with those out of it, ``*_kept`` are the shares with an in-scope probability of
    at least a half; null where a kind has no rows. ``queue_of`` gives an intent's queue;
    ``advance`` is told how many texts have been answered since last.

    Raises:
        ModelError: the classifier failed.
    """
    answered = ask(classifier, rows, advance)
    judged = judge(answered, classifier.intents, queue_of)
    taken = milliseconds(classifier, rows)
    return figures(answered, judged, taken)


def figures(answered: Answered, judged: Judged, taken: metrics.Floats) -> dict[str, Any]:
    """The metrics of what was answered; ``taken`` are milliseconds of texts asked alone."""
    return {
        "n": len(answered.rows),
        "n_intent": len(judged),
        **intent_figures(judged),
        **scope_figures(*answered.scopes),
        **{name: round(value, 3) for name, value in speed_figures(taken).items()},
        "per_language": per_language(judged, intent_figures),
        "per_queue": per_queue(judged),
    }


def intent_figures(judged: Judged) -> dict[str, Any]:
    """What counts the rows labelled with an intent; null where there are none."""
    confidence, right, queue_right = judged.confidence, judged.right, judged.queue_right
    if not len(judged):
        names = ("accuracy", "macro_f1", "queue_accuracy", "ece", "brier", "aurc", "queue_aurc")
        risks = dict.fromkeys(map(str, metrics.RISKS))
        sets = {"set_coverage": None, "set_size": None}
        return dict.fromkeys(names) | {name: dict(risks) for name in _AT_RISK} | sets
    return {
        "accuracy": float(right.mean()),
        "macro_f1": metrics.macro_f1(judged.truth, judged.given),
        "queue_accuracy": float(queue_right.mean()),
        "ece": metrics.calibration_error(confidence, right),
        "brier": float(judged.distance.mean()),
        "aurc": metrics.area_under_risk(confidence, right),
        "queue_aurc": metrics.area_under_risk(confidence, queue_right),
        "coverage_at_risk": metrics.coverage_at_risk(confidence, right),
        "queue_coverage_at_risk": metrics.coverage_at_risk(confidence, queue_right),
        "set_coverage": float(judged.in_set.mean()),
        "set_size": float(judged.set_size.mean()),
    }


def scope_figures(inside: metrics.Floats, outside: metrics.Floats) -> dict[str, Any]:
    """What tells texts in scope from those out of it."""
    both = len(inside) > 0 and len(outside) > 0
    return {
        "n_in_scope": len(inside),
        "n_out_of_scope": len(outside),
        "oos_auroc": metrics.separation(inside, outside) if both else None,
        "oos_fpr95": metrics.false_in_scope_at_95(inside, outside) if both else None,
        "in_scope_kept": float((inside >= 0.5).mean()) if len(inside) else None,
        "out_of_scope_kept": float((outside >= 0.5).mean()) if len(outside) else None,
    }


def speed_figures(taken: metrics.Floats) -> Mapping[str, float]:
    """The median time of one text asked alone, and the time that 95 % stay below."""
    return {"ms_p50": float(np.median(taken)), "ms_p95": float(np.quantile(taken, 0.95))}
