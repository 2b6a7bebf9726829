"""Fitting a stage's calibration on texts it was not trained on. Pure numpy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from router.core.calibration import Floats, LanguageCalibration, StageCalibration, tempered
from router.training.conformal import Ints, fit_sets

Bools = npt.NDArray[np.bool_]

SET_COVERAGE = 0.95
"""How often a prediction set is to hold the right intent."""

ENOUGH = 200
"""So many texts of a language give it a temperature of its own, and so many a scope."""

_LEAST_OF_A_CLASS = 20
"""Fewer texts in scope, or out of it, say nothing of a language's scope; fewer with a flag, or
without, nothing of the flag."""

NO_INTENT = -1

_LOWEST, _HIGHEST = 0.05, 20.0
_PLAIN = (1.0, 0.0)


@dataclass(frozen=True, slots=True)
class Measured:
    """A stage's numbers for held-out texts and their truth, a row a text.

    ``intents`` is `NO_INTENT` where a text has none of the stage's, which counts for scope and
    flags alone. ``flag_logits`` and ``flags`` are texts by flags, without columns where there is
    no flag; ``told`` is whether somebody said which flags a text has.
    """

    logits: Floats
    intents: Ints
    scope_logits: Floats
    in_scope: Bools
    languages: Sequence[str]
    flag_logits: Floats
    flags: Bools
    told: Bools


def fit_calibration(
    texts: Measured,
    intents: Sequence[str],
    flags: Sequence[str] = (),
    before: StageCalibration | None = None,
) -> StageCalibration:
    """The calibration of a single stage, which answers everything; ``intents`` and ``flags`` are
    the names of the columns.

    Where there is one ``before``, what too few texts tell stays as it is there: the scope, a flag,
    and what holds for a language that its ``languages`` name.
    """
    known = texts.intents != NO_INTENT
    logits, right = texts.logits[known], texts.intents[known]
    temperature = fit_temperature(logits, right)
    if before is None or _tells(texts.in_scope):
        a, b = fit_platt(texts.scope_logits, texts.in_scope)
    else:
        a, b = before.scope_a, before.scope_b
    whole = LanguageCalibration(temperature, a, b)
    languages = _fit_languages(texts, whole, before)
    temperatures = [
        languages.get(language, whole).temperature
        for language, one in zip(texts.languages, known, strict=True)
        if one
    ]
    probabilities = np.array(
        [tempered(row, t)[i] for row, t, i in zip(logits, temperatures, right, strict=True)]
    )
    sets = fit_sets(probabilities, right, SET_COVERAGE)
    return StageCalibration(
        temperature=temperature,
        scope_a=a,
        scope_b=b,
        accept=0.0,
        set_least=sets.least,
        flags={name: _fit_flag(texts, column, name, before) for column, name in enumerate(flags)},
        languages=languages,
        set_least_of={intents[number]: least for number, least in sets.least_of.items()},
    )


def _fit_languages(
    texts: Measured, whole: LanguageCalibration, before: StageCalibration | None
) -> dict[str, LanguageCalibration]:
    """What differs by language, where there is more than one and enough of it to say so."""
    of = np.array(texts.languages)
    stay = before.languages if before else {}
    languages = sorted({*texts.languages, *stay})
    fitted = {}
    for language in languages if len(languages) > 1 else ():
        here = of == language
        known = here & (texts.intents != NO_INTENT)
        inside = texts.in_scope[here]
        old = stay.get(language, whole)
        temperature = whole.temperature if known.sum() >= _LEAST_OF_A_CLASS else old.temperature
        scope = _scope(whole if _tells(inside) else old)
        if known.sum() >= ENOUGH:
            temperature = fit_temperature(texts.logits[known], texts.intents[known])
        if len(inside) >= ENOUGH and _tells(inside):
            scope = fit_platt(texts.scope_logits[here], inside)
        if (own := LanguageCalibration(temperature, *scope)) != whole:
            fitted[language] = own
    return fitted


def _fit_flag(
    texts: Measured, column: int, name: str, before: StageCalibration | None
) -> tuple[float, float]:
    raised = texts.flags[texts.told, column]
    if before is not None and not _tells(raised):
        return before.flags[name]
    return fit_platt(texts.flag_logits[texts.told, column], raised)


def _scope(of: LanguageCalibration) -> tuple[float, float]:
    return of.scope_a, of.scope_b


def _tells(positive: Bools) -> bool:
    """Whether there is enough on both sides."""
    return bool(min(positive.sum(), (~positive).sum()) >= _LEAST_OF_A_CLASS)


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
    Platt's softened targets so that separable texts give no infinite slope. Newton's method.

    So a rare flag is not drowned; its probability is as if it were as frequent as not. Where one
    of the classes has no text there is nothing to fit: the plain sigmoid.
    """
    yes, no = int(positive.sum()), int((~positive).sum())
    if not yes or not no:
        return _PLAIN
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
