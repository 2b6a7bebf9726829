"""Asking the model without trusting it: a failure costs a text its prediction, nothing more."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from router.core.prediction import Classifier, Prediction, Predictions
from router.errors import ModelError

OnFault = Callable[[str, Exception], None]
"""Told of what is survived: where (``model``, or a record's coordinates) and the exception. Its
message may quote the customer: log its type and its traceback's places, never its words."""


def ask(
    classifier: Classifier, texts: Sequence[str], on_fault: OnFault
) -> tuple[list[Prediction | None], list[Predictions]]:
    """Each text's prediction, or None where the model failed on it; and the model's answers whole,
    for their timings.

    A batch that fails is asked again text by text: one bad text must not cost its batch mates
    their answer.
    """
    together = _answer(classifier, texts, on_fault)
    if together is not None or len(texts) == 1:
        answers = [together]
    else:
        answers = [_answer(classifier, [text], on_fault) for text in texts]
    each = [prediction for one in answers for prediction in (one.answers if one else (None,))]
    sound = [one if one is not None and _is_sound(one) else None for one in each]
    return sound, [one for one in answers if one is not None]


def _is_sound(prediction: Prediction) -> bool:
    """Whether every number is a share: a NaN is no answer, and would be null in the decision."""
    return 0 <= prediction.in_scope <= 1 and all(
        0 <= score.confidence <= 1 for score in prediction.intents
    )


def _answer(classifier: Classifier, texts: Sequence[str], on_fault: OnFault) -> Predictions | None:
    try:
        return _as_many(classifier.predict(texts), len(texts))
    except Exception as error:  # whatever it is: without an answer the policy still decides
        on_fault("model", error)
        return None


def _as_many(predictions: Predictions, expected: int) -> Predictions:
    if len(predictions.answers) != expected:
        raise ModelError("The model gave another number of answers than it got texts.")
    return predictions
