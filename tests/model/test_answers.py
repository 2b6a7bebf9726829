"""A batch's answers are those that its texts get one by one, computed as plainly as can be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.core.calibration import (
    LanguageCalibration,
    StageCalibration,
    platt,
    rounded,
    tempered,
)
from router.core.prediction import FlagScore, IntentScore, Prediction
from router.errors import ModelError
from router.model.answers import KEPT, Answers
from router.model.stage import RawBatch

INTENTS = tuple(f"intent {number}" for number in range(14))
FLAGS = ("vulnerable", "fraud")
CALIBRATION = StageCalibration(
    temperature=0.9,
    scope_a=1.1,
    scope_b=-0.2,
    accept=0.5,
    set_least=0.05,
    flags_below=0.7,
    flags={"vulnerable": (1.2, 0.4), "fraud": (0.8, -1.0)},
    languages={"de": LanguageCalibration(1.7, 0.7, 0.3)},
    set_least_of={"intent 3": 0.3, "intent 5": 0.001},
)

# Few different values, so that intents are often equally likely.
number = st.one_of(st.sampled_from((-3.0, 0.0, 2.0, 6.0)), st.floats(-1e308, 1e308))
text = st.tuples(
    st.lists(number, min_size=14, max_size=14),
    st.lists(number, min_size=3, max_size=3),
    st.booleans(),
    st.sampled_from(("en", "de")),
)
Text = tuple[list[float], list[float], bool, str]


def raw_of(texts: list[Text]) -> RawBatch:
    return RawBatch(
        np.array([logits for logits, *_ in texts]),
        np.array([others for _, others, *_ in texts]),
        [truncated for *_, truncated, _ in texts],
        0.0,
        0.0,
    )


def alone(logits: list[float], others: list[float], truncated: bool, language: str) -> Prediction:
    fitted = CALIBRATION.of(language)
    probabilities = tempered(np.array(logits), fitted.temperature).tolist()
    best = sorted(range(len(INTENTS)), key=lambda index: -probabilities[index])[:KEPT]
    scores = [IntentScore(INTENTS[index], rounded(probabilities[index])) for index in best]
    return Prediction(
        intents=tuple(scores),
        in_scope=platt(others[0], fitted.scope_a, fitted.scope_b),
        stage="only",
        truncated=truncated,
        flags=tuple(
            FlagScore(flag, platt(logit, *CALIBRATION.flags[flag]))
            for flag, logit in zip(FLAGS, others[1:], strict=True)
        ),
        likely=tuple(
            score.intent
            for place, score in enumerate(scores)
            if place == 0 or score.confidence >= CALIBRATION.least(score.intent)
        ),
    )


@given(texts=st.lists(text, min_size=1, max_size=6))
def test_a_batch_is_answered_as_its_texts_are_one_by_one(texts: list[Text]) -> None:
    answers = Answers("only", CALIBRATION, INTENTS, FLAGS)
    found = answers.of(raw_of(texts), [one[3] for one in texts], sure_alone=False)
    assert list(found) == list(enumerate(alone(*one) for one in texts))


@given(texts=st.lists(text, min_size=1, max_size=6))
def test_only_what_is_sure_and_calm_is_answered_where_others_come_after(texts: list[Text]) -> None:
    answers = Answers("only", CALIBRATION, INTENTS, FLAGS)
    found = answers.of(raw_of(texts), [one[3] for one in texts], sure_alone=True)
    assert dict(found) == {
        place: answer
        for place, answer in enumerate(alone(*one) for one in texts)
        if answer.intents[0].confidence >= CALIBRATION.accept
        and all(flag.probability < CALIBRATION.flags_below for flag in answer.flags)
    }


@pytest.mark.parametrize("broken", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("column", [0, 1, 2])
def test_a_number_among_scope_and_flags_that_is_not_finite_is_a_model_error(
    broken: float, column: int
) -> None:
    raw = raw_of([([0.0] * 14, [0.0] * 3, False, "en")] * 2)
    raw.others[1, column] = broken
    answers = Answers("only", CALIBRATION, INTENTS, FLAGS)
    with pytest.raises(ModelError, match="not finite"):
        answers.of(raw, ["en", "en"], sure_alone=True)
