"""What a classifier says of a text, whatever kind of classifier it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from router.core.values import value


@value(frozen=True)
class ModelRef:
    """The bundle that answered. ``hash`` is the sha256 of its manifest, in hex."""

    name: str
    version: str
    hash: str


@value(frozen=True, slots=True)
class IntentScore:
    """A calibrated probability of one intent, from 0 to 1, rounded to four places."""

    intent: str
    confidence: float


@value(frozen=True, slots=True)
class FlagScore:
    """A calibrated probability of one safety flag, from 0 to 1, rounded to four places."""

    flag: str
    probability: float


@value(frozen=True, slots=True)
class Prediction:
    """One text's answer.

    ``intents`` is best first and holds at least the best; ``in_scope`` is the calibrated
    probability that the text is a bank's business at all; ``stage`` is the bundle's stage that
    answered; ``truncated`` says that the text was longer than the model reads. ``flags`` has every
    safety flag that the model knows, likely or not; ``likely`` are those of ``intents`` that form
    the prediction set, which holds the right one as often as the bundle's card says.
    """

    intents: tuple[IntentScore, ...]
    in_scope: float
    stage: str
    truncated: bool
    flags: tuple[FlagScore, ...] = ()
    likely: tuple[str, ...] = ()


class Question(NamedTuple):
    """What a classifier is asked: a text and its language (ISO 639-1, or ``und``)."""

    text: str
    language: str


@value(frozen=True, slots=True)
class Predictions:
    """A batch's answers in its order, with the seconds spent on its two steps."""

    answers: tuple[Prediction, ...]
    tokenise_seconds: float
    infer_seconds: float


class Classifier(Protocol):
    """A loaded model. The same question gets the same prediction whatever its batch mates."""

    @property
    def ref(self) -> ModelRef: ...

    @property
    def languages(self) -> frozenset[str]:
        """ISO 639-1 codes of the languages it may be asked about."""
        ...

    @property
    def intents(self) -> tuple[str, ...]: ...

    @property
    def flags(self) -> tuple[str, ...]:
        """The safety flags it knows; may be none."""
        ...

    def predict(self, questions: Sequence[Question]) -> Predictions:
        """Predictions for ``questions``, one each, in order.

        Raises:
            ModelError: the model could not answer.
        """
        ...
