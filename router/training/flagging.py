"""Thresholds of safety flags, set for recall: a miss harms more than a false alarm."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from router.core.binomial import at_most
from router.core.calibration import PLACES, Floats


def flag_threshold(
    probabilities: Floats,
    truth: npt.NDArray[np.bool_],
    recall: float,
    confidence: float = 0.95,
) -> float | None:
    """The highest threshold that finds ``recall`` of the flagged texts, with ``confidence``.

    Of the ``n`` texts that are flagged in ``truth``, ``m`` may lie below it where ``m`` or fewer
    misses among ``n`` are improbable at a recall of less: an exact one-sided binomial bound, true
    of any distribution, for texts like these. None where ``n`` is too few even without a miss.
    Rounded down to the places that leave the model.
    """
    flagged = np.sort(probabilities[truth])
    missed = 0
    while at_most(missed, len(flagged), 1 - recall) <= 1 - confidence:
        missed += 1
    if missed == 0:
        return None
    scale = 10.0**PLACES
    return float(math.floor(float(flagged[missed - 1]) * scale + 1e-9)) / float(scale)
