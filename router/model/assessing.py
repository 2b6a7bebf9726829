"""All that `router model evaluate` says of a classifier: the figures, how sure they are, and what
the pictures are drawn from. No text is in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from router.core.policy import Policy
from router.core.prediction import Classifier
from router.model.breakdown import confusions, per_intent, share_interval
from router.model.evaluation import figures, intent_figures, scope_figures, speed_figures
from router.model.flag_figures import flag_figures
from router.model.intervals import RESAMPLES, SEED, bootstrap, separation_interval, wilson
from router.model.judged import Answered, Judged, ask, judge, milliseconds
from router.model.labelled import Labelled
from router.model.metrics import (
    Bools,
    Floats,
    bins_of_equal_mass,
    false_in_scope_at_95,
    risk_curve,
)

_POINTS = 200
"""Most points of a curve."""

Advance = Callable[[str, int, int], None]
"""Is told what is being done, how much of it more, and of how much."""


def assess(
    classifier: Classifier,
    rows: Sequence[Labelled],
    policy: Policy,
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    advance: Advance = lambda _what, _more, _of: None,
) -> dict[str, Any]:
    """The figures of `router.model.evaluation.evaluate` under the same names, and with them
    ``intervals`` (95 %), ``per_intent``, ``flags``, ``stages``, the curves and the confusions.

    Raises:
        ModelError: the classifier failed.
    """
    answered = ask(classifier, rows, lambda more: advance("Asking", more, len(rows)))
    judged = judge(answered, classifier.intents, policy.queue_of)
    advance("Timing", 0, 1)
    taken = milliseconds(classifier, rows)
    advance("Timing", 1, 1)

    # The intents, the scope and the time, each so many times.
    draws = 3 * resamples

    def drawn(more: int) -> None:
        advance("Drawing resamples", more, draws)

    thresholds = {name: flag.threshold for name, flag in policy.flags.items()}
    stages = Counter(answer.stage for answer in answered.answers)
    return {
        **figures(answered, judged, taken),
        "intervals": {
            **_intent_intervals(judged, resamples, seed, drawn),
            **_scope_intervals(answered, resamples, seed, drawn),
            **bootstrap(
                lambda places: speed_figures(taken[places]), [len(taken)],
                resamples=resamples, seed=seed, advance=drawn,
            ),
        },
        "per_intent": per_intent(judged, policy.queue_of),
        "flags": flag_figures(answered, classifier.flags, thresholds),
        "stages": {name: count / len(rows) for name, count in stages.most_common()},
        "reliability": list(_reliability(judged)),
        "risk_curve": _curve(judged.confidence, judged.right),
        "queue_risk_curve": _curve(judged.confidence, judged.queue_right),
        "confusions": confusions(judged.intents, judged.truth, judged.given),
        "queue_confusions": confusions(judged.queues, judged.queue_truth, judged.queue_given),
    }  # fmt: skip


def _intent_intervals(
    judged: Judged, resamples: int, seed: int, drawn: Callable[[int], None]
) -> dict[str, Any]:
    if not len(judged):
        drawn(resamples)
        return {}
    spread = bootstrap(
        lambda places: intent_figures(judged.take(places)), [len(judged)],
        biased={"ece"}, resamples=resamples, seed=seed, advance=drawn,
    )  # fmt: skip
    return spread | {
        "accuracy": share_interval(judged.right),
        "queue_accuracy": share_interval(judged.queue_right),
        "set_coverage": share_interval(judged.in_set),
    }


def _scope_intervals(
    answered: Answered, resamples: int, seed: int, drawn: Callable[[int], None]
) -> dict[str, Any]:
    inside, outside = answered.scopes
    known = {
        "in_scope_kept": share_interval(inside >= 0.5),
        "out_of_scope_kept": share_interval(outside >= 0.5),
    }
    if not (len(inside) and len(outside)):
        drawn(resamples)
        return {name: interval for name, interval in known.items() if interval is not None}
    figures = scope_figures(inside, outside)
    passing = bootstrap(
        lambda some, others: {"rate": false_in_scope_at_95(inside[some], outside[others])},
        [len(inside), len(outside)], resamples=resamples, seed=seed, advance=drawn,
    )["rate"]  # fmt: skip
    # The bootstrap moves the threshold too, and Wilson's has a width where none passes.
    share = wilson(round(figures["oos_fpr95"] * len(outside)), len(outside)) or passing
    return known | {
        "oos_auroc": separation_interval(figures["oos_auroc"], len(inside), len(outside)),
        "oos_fpr95": [min(share[0], passing[0]), max(share[1], passing[1])],
    }


def _reliability(judged: Judged) -> Iterator[dict[str, Any]]:
    for part in bins_of_equal_mass(judged.confidence):
        confidence, right = judged.confidence[part], judged.right[part]
        yield {
            "n": len(part),
            "confidence": float(confidence.mean()),
            "accuracy": float(right.mean()),
            "interval": share_interval(right),
        }


def _curve(confidence: Floats, right: Bools) -> list[dict[str, float]]:
    """Points from the first to the last: the ``share`` answered, its ``error``, and the
    ``threshold`` that answers it."""
    shares, errors, thresholds = risk_curve(confidence, right)
    if not len(shares):
        return []
    chosen = np.unique(np.linspace(0, len(shares) - 1, _POINTS).round().astype(int))
    columns = (shares[chosen], errors[chosen], thresholds[chosen])
    return [
        {"share": float(share), "error": float(error), "threshold": float(threshold)}
        for share, error, threshold in zip(*columns, strict=True)
    ]
