"""When the first stage of a cascade may answer by itself: never where that costs quality."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from router.core.binomial import upper_bound
from router.core.calibration import PLACES, Floats, calm
from router.core.prediction import Prediction
from router.model.labelled import IN_SCOPE, OUT_OF_SCOPE, Labelled
from router.training.examples import Example

HARM = 0.005
"""At most so many of the texts that the first stage answers are to be right by the last stage and
wrong by the first."""

CONFIDENCE = 0.95

_SURE_OF_SCOPE = 0.5


@dataclass(frozen=True, slots=True)
class Accepted:
    """``accept`` is the least confidence; ``share`` of the texts have it, ``harmed`` of those the
    last stage alone would have got right."""

    accept: float
    share: float
    harmed: int


def fit_accept(
    confidence: Floats, may: npt.NDArray[np.bool_], harmed: npt.NDArray[np.bool_]
) -> Accepted:
    """The lowest confidence from which on the first stage may answer, 1 where there is none.

    Of the texts that it would answer (``may``: no flag stands against it, and at least that
    confidence) those in ``harmed`` must be few enough that, by an exact one-sided binomial bound,
    their rate is at most `HARM` with `CONFIDENCE`. The bound is for one threshold that was chosen
    before; of many it is the usual optimism, so a held-out set says what became of it.
    """
    order = np.argsort(-confidence, kind="stable")
    order = order[may[order]]
    best = Accepted(1.0, 0.0, 0)
    harms = 0
    for number, index in enumerate(order, start=1):
        harms += int(harmed[index])
        last = number == len(order) or confidence[order[number]] < confidence[index]
        if last and upper_bound(harms, number, 1 - CONFIDENCE) <= HARM:
            accept = float(np.round(confidence[index], PLACES))
            best = Accepted(accept, number / len(confidence), harms)
    return best


def accepted_of(
    ours: Sequence[Prediction],
    theirs: Sequence[Prediction],
    examples: Sequence[Example | Labelled],
    flags_below: float,
) -> Accepted:
    """`fit_accept` from what the first stage (``ours``) and the others (``theirs``) answer to
    ``examples``, where a flag of at least ``flags_below`` leaves a text to the others."""
    return fit_accept(
        np.array([answer.intents[0].confidence for answer in ours]),
        np.array([calm((f.probability for f in answer.flags), flags_below) for answer in ours]),
        np.array([
            _right(their, example) and not _right(our, example)
            for our, their, example in zip(ours, theirs, examples, strict=True)
        ]),
    )  # fmt: skip


def _right(answer: Prediction, example: Example | Labelled) -> bool:
    if example.label in {IN_SCOPE, OUT_OF_SCOPE}:
        return (answer.in_scope >= _SURE_OF_SCOPE) == (example.label == IN_SCOPE)
    return answer.intents[0].intent == example.label
