"""Asking the model without trusting it: a failure costs a text its prediction, nothing more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from router.core.prediction import Classifier, Prediction, Predictions, Question
from router.errors import ModelError

OnFault = Callable[[str, Exception], None]
"""Told of what is survived: where (``model``, or a record's coordinates) and the exception. Its
message may quote the customer: log its type and its traceback's places, never its words."""

HARMLESS = Question("Where is my card?", "en")
"""Asked to tell a model that fails from a text that breaks it, and to find out if it works again.
Ours, in plain words: no customer waits for its answer."""


@dataclass(frozen=True, slots=True)
class Answered:
    """``each`` text's prediction, or None where there is none; the model's answers ``whole``, for
    their timings; whether the ``model_works``, whatever it made of these texts."""

    each: list[Prediction | None]
    whole: list[Predictions]
    model_works: bool


class Ask(Protocol):
    """`ask`, or a way of asking that knows when not to. Never raises."""

    def __call__(
        self, classifier: Classifier, questions: Sequence[Question], on_fault: OnFault, /
    ) -> Answered: ...


def ask(classifier: Classifier, questions: Sequence[Question], on_fault: OnFault) -> Answered:
    """Each text's prediction, or None where the model failed on it.

    After a batch that fails, `HARMLESS` tells whose fault it was. A model that fails on that too
    is asked nothing more; else the batch is asked again text by text: one bad text must not cost
    its batch mates their answer.
    """
    together = _answer(classifier, questions, on_fault)
    if together is not None:
        return Answered(_sound(together), [together], model_works=True)
    if list(questions) == [HARMLESS] or _answer(classifier, [HARMLESS], on_fault) is None:
        return unanswered(questions)
    if len(questions) == 1:
        return Answered([None], [], model_works=True)
    answers = [_answer(classifier, [question], on_fault) for question in questions]
    each = [prediction for one in answers for prediction in (_sound(one) if one else (None,))]
    return Answered(each, [one for one in answers if one is not None], model_works=True)


def unanswered(questions: Sequence[Question]) -> Answered:
    """No answer to any of ``questions``."""
    return Answered([None] * len(questions), [], model_works=False)


def _sound(predictions: Predictions) -> list[Prediction | None]:
    return [one if _is_sound(one) else None for one in predictions.answers]


def _is_sound(prediction: Prediction) -> bool:
    """Whether every number is a share: a NaN is no answer, and would be null in the decision."""
    # Asked of every text's every score: no list is made of them.
    for score in prediction.intents:
        if not 0 <= score.confidence <= 1:
            return False
    for flag in prediction.flags:
        if not 0 <= flag.probability <= 1:
            return False
    return 0 <= prediction.in_scope <= 1


def _answer(
    classifier: Classifier, questions: Sequence[Question], on_fault: OnFault
) -> Predictions | None:
    try:
        return _as_many(classifier.predict(questions), len(questions))
    except Exception as error:  # whatever it is: without an answer the policy still decides
        on_fault("model", error)
        return None


def _as_many(predictions: Predictions, expected: int) -> Predictions:
    if len(predictions.answers) != expected:
        raise ModelError("The model gave another number of answers than it got questions.")
    return predictions
