"""From a graph's raw numbers to probabilities one may act on. Pure numpy, any float taken.

One text at a time, so that no result depends on how a batch is laid out in memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

PLACES = 4
"""Decimal places of every probability that leaves the model."""


@dataclass(frozen=True, slots=True)
class LanguageCalibration:
    """What is fitted for one language alone; see `StageCalibration`."""

    temperature: float
    scope_a: float
    scope_b: float


@dataclass(frozen=True, slots=True)
class StageCalibration:
    """How one stage's numbers become probabilities.

    ``temperature`` (above 0) divides the intents' logits; the scope's logit becomes a probability
    by ``sigmoid(scope_a * logit + scope_b)``, and so each flag's by its pair in ``flags``. A
    language in ``languages`` has a temperature and a scope of its own.

    The stage answers a text itself when its best intent has at least ``accept`` and every flag
    less than ``flags_below`` (see `calm`); the last stage answers whatever reaches it. The intents
    with at least ``set_least``, or what ``set_least_of`` has for them, form the prediction set,
    which holds the right one as often as the bundle's card says.
    """

    temperature: float
    scope_a: float
    scope_b: float
    accept: float
    set_least: float
    flags_below: float = 1.0
    flags: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    languages: Mapping[str, LanguageCalibration] = field(default_factory=dict)
    set_least_of: Mapping[str, float] = field(default_factory=dict)

    def least(self, intent: str) -> float:
        """The least probability with which ``intent`` belongs to a prediction set."""
        return self.set_least_of.get(intent, self.set_least)

    def of(self, language: str) -> LanguageCalibration:
        """What holds for texts in ``language``."""
        return self.languages.get(language) or LanguageCalibration(
            self.temperature, self.scope_a, self.scope_b
        )


def calm(flags: Iterable[float], flags_below: float) -> bool:
    """Whether every probability of a flag is less than ``flags_below``; 1 asks for nothing, since
    what is as good as certain is rounded to it."""
    return flags_below >= 1 or all(probability < flags_below for probability in flags)


def softmax(logits: Floats) -> Floats:
    """Probabilities of one text's ``logits`` (1-D, not empty); they sum to 1 for any input.

    Not-a-number is no evidence and counts as minus infinity; plus infinity takes everything,
    shared equally where it comes more than once; where nothing is left all are alike.
    """
    clean = np.where(np.isnan(logits), -np.inf, logits).astype(np.float64)
    top = clean.max()
    if top == np.inf:
        weights = (clean == np.inf).astype(np.float64)
    elif top == -np.inf:
        weights = np.ones_like(clean)
    else:
        # Two finite floats can lie further apart than the largest float; exp(-inf) is 0 anyway.
        with np.errstate(over="ignore", under="ignore"):
            weights = np.exp(clean - top)
    return np.asarray(weights / weights.sum())


def tempered(logits: Floats, temperature: float) -> Floats:
    """`softmax` of ``logits`` divided by ``temperature``, which must be above 0."""
    with np.errstate(over="ignore", under="ignore"):
        return softmax(np.asarray(logits, dtype=np.float64) / temperature)


def sigmoid(x: float) -> float:
    """From 0 to 1 for any float; not-a-number gives 0: what is unknown is not claimed."""
    if math.isnan(x):
        return 0.0
    if x >= 0:
        return 1.0 / (1.0 + math.exp(-x))
    odds = math.exp(x)
    return odds / (1.0 + odds)


def platt(logit: float, a: float, b: float) -> float:
    """The calibrated probability ``sigmoid(a * logit + b)``, rounded.

    Platt, Probabilistic outputs for support vector machines, 1999.
    """
    return rounded(sigmoid(a * logit + b))


def rounded(probability: float) -> float:
    """``probability`` to the places that leave the model, so that equal means equal."""
    return round(float(probability), PLACES)
