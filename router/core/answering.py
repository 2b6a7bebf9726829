"""A batch and the models: who is asked about which message, and who is shown it afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from router.core.asking import OnFault
from router.core.choosing import Model, ModelSet
from router.core.circumstances import Circumstances
from router.core.deciding import asks_model
from router.core.decision import Decision
from router.core.prediction import Prediction, Predictions, Question
from router.core.shadowing import Message, Shadow, offer

Around = Callable[[Model | Shadow | None], Circumstances]
"""The circumstances of a decision that this model answers."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one message is decided by: a prediction, or None where none was needed or none was to
    be had, and the circumstances of the model that answers its conversation."""

    prediction: Prediction | None
    around: Circumstances


@dataclass(slots=True)
class Answering:
    """One batch's asking: whether any model was ``asked``, and their own timings."""

    models: ModelSet
    around: Around
    on_fault: OnFault
    asked: bool = False
    timed: list[Predictions] = field(default_factory=list)

    def answers(self, messages: Sequence[Message | None]) -> list[Answer]:
        """For each of ``messages`` its answer, in order; a None among them is asked of nobody.

        A canary's message that it gives no answer to is the live model's after all: the share of a
        canary that fails is decided as well as the rest.
        """
        live = self.around(self.models.live)
        answers = [Answer(None, live)] * len(messages)
        tried = self._tried(messages)
        for place, answer in tried.items():
            answers[place] = answer
        left = (place for place in range(len(messages)) if place not in tried)
        for place, prediction in self._ask(self.models.live, live, messages, left).items():
            answers[place] = Answer(prediction, live)
        return answers

    def _tried(self, messages: Sequence[Message | None]) -> dict[int, Answer]:
        """The answers of the canary, of what is its and did not fail."""
        if self.models.canary is None:
            return {}
        around = self.around(self.models.canary)
        its = [
            place
            for place, message in enumerate(messages)
            if message is not None and self.models.takes(message.event.conversation_id)
        ]
        asked = self._ask(self.models.canary, around, messages, its)
        return {
            place: Answer(asked.get(place), around)
            for place in its
            if place not in asked or asked[place] is not None
        }

    def _ask(
        self,
        model: Model | None,
        around: Circumstances,
        messages: Sequence[Message | None],
        places: Iterable[int],
    ) -> dict[int, Prediction | None]:
        """What ``model`` says of the messages at ``places``, as far as it need be asked."""
        asked = {
            place: Question(message.text.text, message.text.language)
            for place in places
            if (message := messages[place]) and asks_model(message.text, message.matched, around)
        }
        if model is None or not asked:
            return {}
        answered = model.ask(model.classifier, list(asked.values()), self.on_fault)
        self.asked = True
        self.timed += answered.whole
        return dict(zip(asked, answered.each, strict=True))


def show(
    models: ModelSet,
    read: Sequence[object],
    decided: Sequence[object],
    around: Around,
    on_fault: OnFault,
) -> None:
    """Show the shadow what is decided of what was ``read``, but for the canary's conversations.
    Whatever it makes of that, what is decided stays decided."""
    if models.shadow is None:
        return
    lives = (
        (message, decision)
        for message, decision in zip(read, decided, strict=True)
        if isinstance(message, Message)
        and isinstance(decision, Decision)
        and not models.takes(decision.conversation_id)
    )
    try:
        offer(models.shadow, lives, around(models.live), around(models.shadow))
    except Exception as error:  # whatever it is, it is the shadow's alone
        on_fault("shadow", error)
