"""From a graph's raw numbers to probabilities one may act on. Pure numpy, any float taken.

Many texts at a time, one a row; each row comes out as it would alone, to the last bit: whatever is
summed is summed within a row that lies in one piece.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
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

    @property
    def whole(self) -> LanguageCalibration:
        """What holds for texts in a language without a fit of its own."""
        return LanguageCalibration(self.temperature, self.scope_a, self.scope_b)

    def of(self, language: str) -> LanguageCalibration:
        """What holds for texts in ``language``."""
        return self.languages.get(language) or self.whole


def calm(flags: Floats, flags_below: float) -> npt.NDArray[np.bool_]:
    """Of each text, a row of ``flags``, whether every probability of a flag is less than
    ``flags_below``; 1 asks for nothing, since what is as good as certain is rounded to it."""
    return np.asarray((flags < (flags_below if flags_below < 1 else np.inf)).all(axis=-1))


def softmax(logits: Floats) -> Floats:
    """Probabilities of ``logits``, which are not empty; those of a row sum to 1 for any input.

    Not-a-number is no evidence and counts as minus infinity; plus infinity takes everything,
    shared equally where it comes more than once; where nothing is left all are alike.
    """
    return tempered(logits, 1.0)


def tempered(logits: Floats, temperature: float | Floats) -> Floats:
    """`softmax` of ``logits`` divided by ``temperature``, which must be above 0: one for all, or a
    column with one for each row."""
    # Two finite floats can lie further apart than the largest float; exp(-inf) is 0 anyway.
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        rows = np.ascontiguousarray(np.asarray(logits, np.float64) / temperature)
        top = rows.max(axis=-1, keepdims=True)
        if np.isfinite(top).all():
            weights = np.exp(rows - top)
        else:
            clean = np.where(np.isnan(rows), -np.inf, rows)
            top = clean.max(axis=-1, keepdims=True)
            # Infinity less itself is no number.
            weights = np.where(np.isinf(top), clean == top, np.exp(clean - top))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


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


def platts(logits: Floats, a: Floats, b: Floats) -> Floats:
    """`platt` of each of ``logits`` by its own ``a`` and ``b``, all of one shape."""
    with np.errstate(over="ignore", under="ignore"):
        found, doubtful = _rounded(1.0 / (1.0 + np.exp(-(a * logits + b))))
    for place in doubtful:
        found[place] = platt(float(logits[place]), float(a[place]), float(b[place]))
    return found


def all_rounded(probabilities: Floats) -> Floats:
    """`rounded` of each of ``probabilities``."""
    found, doubtful = _rounded(probabilities)
    for place in doubtful:
        found[place] = rounded(probabilities[place])
    return found


def least_rounded_to(probability: float) -> float:
    """The least float that `rounded` makes ``probability``, from 0 to 1, or more."""
    below, enough = -1.0, 1.0
    while below < (middle := (below + enough) / 2) < enough:
        below, enough = (below, middle) if rounded(middle) >= probability else (middle, enough)
    return enough


_SCALE = 10.0**PLACES
_DOUBT = 1e-6
"""In units of the last place: far more than a product or numpy's own `exp` can be off by."""


def _rounded(probabilities: Floats) -> tuple[Floats, list[tuple[int, ...]]]:
    """As `rounded`, but for the places given besides: there it is a half or not a number, and a
    float's last bit decides. A quotient of whole numbers is the float next to it, as `round`'s."""
    scaled = probabilities * _SCALE
    whole = np.rint(scaled)
    sure = np.abs(scaled - whole) < 0.5 - _DOUBT
    doubtful = [] if sure.all() else [tuple(place) for place in np.argwhere(~sure).tolist()]
    return whole / _SCALE, doubtful
