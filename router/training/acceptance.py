"""When the first stage of a cascade may answer by itself: never where that costs quality."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from router.core.binomial import at_most, upper_bound
from router.core.calibration import PLACES, Floats, calm
from router.core.prediction import Prediction
from router.model.labelled import IN_SCOPE, OUT_OF_SCOPE, Labelled
from router.training.examples import Example

HARM = 0.01
"""At most so many of the texts that the first stage answers are to be right by the others and wrong
by it."""

FLAGGED = 0.02
"""At most so many of the texts with a flag is it to answer at all: the others read them whole."""

STEPS = tuple(step / 20 for step in range(1, 20))
"""What is tried for the probability of a flag from which on a text is left to the others."""

CONFIDENCE = 0.95

_SURE_OF_SCOPE = 0.5


@dataclass(frozen=True, slots=True)
class Accepted:
    """``accept`` is the least confidence with which the stage answers where every flag has less
    than ``flags_below``. It answers ``share`` of the texts; ``harmed`` of those the others would
    have got right."""

    accept: float
    share: float
    harmed: int
    flags_below: float = 1.0


def fit_first(
    confidence: Floats,
    flags: Floats,
    flagged: npt.NDArray[np.bool_],
    harmed: npt.NDArray[np.bool_],
) -> Accepted:
    """What lets the first stage answer most. ``flags`` (texts, flags) are its probabilities,
    ``flagged`` the truth.

    `STEPS` are tried from the least on, each with its own `fit_accept`, as long as of the texts
    with each flag it would answer at most `FLAGGED`, with `CONFIDENCE`: tests in an order fixed
    before, up to the first that fails, need no correction for their number. Texts with a flag that
    are too few to show it let it answer nothing.
    """
    if not flags.shape[1]:
        return fit_accept(confidence, np.ones(len(confidence), np.bool_), harmed)
    best = Accepted(1.0, 0.0, 0, flags_below=0.0)
    for below in STEPS:
        may = np.asarray((flags < below).all(axis=1))
        found = fit_accept(confidence, may, harmed)
        answered = may & (confidence >= found.accept)
        counts = [(int(answered[one].sum()), int(one.sum())) for one in flagged.T]
        if any(not n or upper_bound(m, n, 1 - CONFIDENCE) > FLAGGED for m, n in counts):
            break
        if found.share > best.share:
            best = replace(found, flags_below=below)
    return best


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
        # The bound is at most `HARM` where so few harms are as improbable at a rate of `HARM`.
        if last and harms <= HARM * number and at_most(harms, number, HARM) <= 1 - CONFIDENCE:
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
        _confidence(ours),
        calm(_flags(ours), flags_below),
        _harmed(ours, theirs, examples),
    )


def first_of(
    ours: Sequence[Prediction],
    theirs: Sequence[Prediction],
    examples: Sequence[Example],
    names: Sequence[str],
) -> Accepted:
    """`fit_first` from the same; ``names`` are the flags'."""
    return fit_first(
        _confidence(ours),
        _flags(ours),
        np.array([[name in example.flags for name in names] for example in examples], np.bool_),
        _harmed(ours, theirs, examples),
    )


def _confidence(answers: Sequence[Prediction]) -> Floats:
    return np.array([answer.intents[0].confidence for answer in answers])


def _flags(answers: Sequence[Prediction]) -> Floats:
    found = [[flag.probability for flag in answer.flags] for answer in answers]
    return np.array(found, np.float64).reshape(len(answers), len(found[0]) if found else 0)


def _harmed(
    ours: Sequence[Prediction],
    theirs: Sequence[Prediction],
    examples: Sequence[Example | Labelled],
) -> npt.NDArray[np.bool_]:
    return np.array([
        _right(their, example) and not _right(our, example)
        for our, their, example in zip(ours, theirs, examples, strict=True)
    ])  # fmt: skip


def _right(answer: Prediction, example: Example | Labelled) -> bool:
    if example.label in {IN_SCOPE, OUT_OF_SCOPE}:
        return (answer.in_scope >= _SURE_OF_SCOPE) == (example.label == IN_SCOPE)
    return answer.intents[0].intent == example.label
