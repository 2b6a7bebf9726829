"""Figures by intent, by queue and by language, and what is taken for what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from router.model.intervals import wilson
from router.model.judged import Judged
from router.model.metrics import Bools, Ints


def per_language(judged: Judged, figures: Callable[[Judged], dict[str, Any]]) -> dict[str, Any]:
    """``figures`` of each language's rows."""
    parts = {str(name): judged.take(judged.language == name) for name in np.unique(judged.language)}
    return {
        name: {
            "n": len(part),
            **figures(part),
            "intervals": {
                "accuracy": share_interval(part.right),
                "queue_accuracy": share_interval(part.queue_right),
                "set_coverage": share_interval(part.in_set),
            },
        }
        for name, part in parts.items()
    }


def per_queue(judged: Judged) -> dict[str, Any]:
    """Recall is of the texts that belong there, precision of those that would be sent there."""
    return _per_name(judged.queues, judged.queue_truth, judged.queue_given)


def per_intent(judged: Judged, queue_of: Callable[[str], str]) -> dict[str, Any]:
    """The same by intent."""
    report = _per_name(judged.intents, judged.truth, judged.given)
    return {intent: {"queue": queue_of(intent), **row} for intent, row in report.items()}


def _per_name(names: tuple[str, ...], truth: Ints, given: Ints) -> dict[str, Any]:
    real = np.bincount(truth, minlength=len(names))
    claimed = np.bincount(given, minlength=len(names))
    hits = np.bincount(truth[truth == given], minlength=len(names))
    return {
        name: {
            "n": int(real[place]),
            "recall": float(hits[place] / real[place]) if real[place] else None,
            "precision": float(hits[place] / claimed[place]) if claimed[place] else None,
            "f1": float(2 * hits[place] / (real[place] + claimed[place])),
            "intervals": {
                "recall": wilson(int(hits[place]), int(real[place])),
                "precision": wilson(int(hits[place]), int(claimed[place])),
            },
        }
        for place, name in enumerate(names)
        if real[place] + claimed[place]
    }


def confusions(names: tuple[str, ...], truth: Ints, given: Ints) -> list[dict[str, Any]]:
    """What was taken for something else, and how often; the most frequent first."""
    counts = np.bincount(truth * len(names) + given, minlength=len(names) ** 2)
    wrong = [
        {"truth": names[code // len(names)], "given": names[code % len(names)], "n": int(count)}
        for code, count in enumerate(counts)
        if count and code // len(names) != code % len(names)
    ]
    return sorted(wrong, key=lambda pair: (-int(pair["n"]), pair["truth"], pair["given"]))


def share_interval(hits: Bools) -> list[float] | None:
    """Wilson's interval of the share of ``hits``."""
    return wilson(int(hits.sum()), len(hits))
