"""Fitting a stage's calibration on texts it was not trained on. Pure numpy."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from router.core.calibration import Floats, StageCalibration, tempered

SET_COVERAGE = 0.95
"""How often a prediction set is to hold the right intent."""

_LOWEST, _HIGHEST = 0.05, 20.0


def fit_calibration(
    logits: Floats,
    intents: npt.NDArray[np.int64],
    scope_logits: Floats,
    in_scope: npt.NDArray[np.bool_],
) -> StageCalibration:
    """Temperature and set on ``logits`` (texts by intents) and their right ``intents``; scope on
    ``scope_logits`` of any texts. A single stage answers everything."""
    temperature = fit_temperature(logits, intents)
    a, b = fit_platt(scope_logits, in_scope)
    right = np.array(
        [tempered(row, temperature)[intent] for row, intent in zip(logits, intents, strict=True)]
    )
    return StageCalibration(
        temperature=temperature,
        scope_a=a,
        scope_b=b,
        accept=0.0,
        set_least=set_least(right, SET_COVERAGE),
    )


def fit_temperature(logits: Floats, intents: npt.NDArray[np.int64]) -> float:
    """The temperature with the least negative log-likelihood, from 0.05 to 20.

    The loss has one valley in the logarithm of the temperature: a golden-section search.
    """
    centred = logits - logits.max(axis=1, keepdims=True)
    right = centred[np.arange(len(intents)), intents]

    def loss(log_temperature: float) -> float:
        scale = math.exp(-log_temperature)
        return float(np.mean(np.log(np.exp(centred * scale).sum(axis=1)) - right * scale))

    low, high = math.log(_LOWEST), math.log(_HIGHEST)
    ratio = (math.sqrt(5) - 1) / 2
    for _ in range(60):
        left, middle = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, middle) if loss(left) < loss(middle) else (left, high)
    return round(math.exp((low + high) / 2), 6)


def fit_platt(logits: Floats, positive: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """``a`` and ``b`` of ``sigmoid(a * logit + b)``, both classes weighing the same in all, with
    Platt's softened targets so that separable texts give no infinite slope. Newton's method."""
    yes, no = int(positive.sum()), int((~positive).sum())
    target = np.where(positive, (yes + 1) / (yes + 2), 1 / (no + 2))
    weight = np.where(positive, 0.5 / yes, 0.5 / no)
    design = np.column_stack((logits, np.ones_like(logits)))
    ab = np.array([1.0, 0.0])
    for _ in range(100):
        p = 0.5 * (1 + np.tanh(design @ ab / 2))
        gradient = design.T @ (weight * (p - target))
        curvature = (design * (weight * p * (1 - p))[:, None]).T @ design + 1e-9 * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        # A full step may overshoot where the sigmoid is flat; this bound keeps it in sight.
        largest = float(np.abs(step).max())
        ab -= step * min(1.0, 2.0 / max(1e-9, largest))
        if largest < 1e-9:
            break
    return round(float(ab[0]), 6), round(float(ab[1]), 6)


def set_least(right: Floats, coverage: float) -> float:
    """The threshold that ``coverage`` of texts' right intents reach: split conformal prediction,
    with its correction for how many texts there are. ``right`` is their probabilities."""
    rank = math.floor((1 - coverage) * (len(right) + 1))
    return round(float(np.sort(right)[rank - 1]), 4) if rank >= 1 else 0.0
