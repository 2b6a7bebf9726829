"""A model that costs nothing and fills queues as it is told: all alike, or as a bank's fill."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import accumulate, cycle
from typing import Literal

from router.core.prediction import IntentScore, ModelRef, Prediction, Predictions, Question

Spread = Literal["even", "bank"]
_DIFFERENT = 10_007
"""Answers before they come again: a prime, so that no batch size or number of texts divides it."""


def shares(queues: int, spread: Spread) -> list[float]:
    """Each queue's share of the messages: the same, or Zipf's, where the n-th gets an n-th part of
    what the first gets."""
    weights = [1.0 if spread == "even" else 1 / (number + 1) for number in range(queues)]
    return [weight / sum(weights) for weight in weights]


class SpreadClassifier:
    """Answers with the intents in a fixed order, whatever it is asked. Safe in threads."""

    ref = ModelRef("spread", "1", "0" * 64)
    languages = frozenset({"en"})
    flags: tuple[str, ...] = ()

    def __init__(self, intents: Sequence[str], spread: Spread, seed: int = 1) -> None:
        self.intents = tuple(intents)
        dice = random.Random(seed)  # noqa: S311 - reproducible, not secret
        bounds = list(accumulate(shares(len(intents), spread)))
        chosen = dice.choices(self.intents, cum_weights=bounds, k=_DIFFERENT)
        one_of = {
            intent: Prediction((IntentScore(intent, 0.9),), 0.9, "only", truncated=False)
            for intent in self.intents
        }
        self._answers = cycle([one_of[intent] for intent in chosen])

    def predict(self, questions: Sequence[Question]) -> Predictions:
        return Predictions(tuple(next(self._answers) for _ in questions), 0.0, 0.0)
