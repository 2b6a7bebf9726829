"""What a model that decides nothing would have decided, beside what was decided."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from router.core.circumstances import Circumstances
from router.core.deciding import asks_model, decide
from router.core.decision import Decision
from router.core.event import Event
from router.core.policy import Matched
from router.core.prediction import Classifier, Prediction
from router.core.record import Source
from router.core.text import CustomerText
from router.core.values import value


@value(frozen=True, slots=True)
class Message:
    """A customer's message, read, and what the policy's rules say of it."""

    event: Event
    text: CustomerText
    matched: Matched


@value(frozen=True, slots=True)
class Aside:
    """A message for the shadow, and the ``queue`` that it was sent to."""

    message: Message
    source: Source
    queue: str


class Shadow(Protocol):
    """A model that is asked about decided messages, whenever there is time."""

    @property
    def classifier(self) -> Classifier: ...

    def offer(self, asides: Sequence[Aside], around: Circumstances) -> None:
        """Take ``asides``, or drop them when it is behind; ``around`` has the shadow's own model.
        Never waits, never raises."""
        ...

    def close(self) -> None:
        """Ask no more. Never waits, never raises."""
        ...


def offer(
    shadow: Shadow,
    decided: Iterable[tuple[Message, Decision]],
    live: Circumstances,
    own: Circumstances,
) -> None:
    """Offer ``shadow`` those of ``decided`` in which a model has a say, the live one or it.

    What was decided without the model that should have answered is left out: there is nothing of
    the live model's to compare with.
    """
    asides = [
        Aside(message, decision.source, decision.queue)
        for message, decision in decided
        if decision.reason != "model_unavailable"
        and any(asks_model(message.text, message.matched, around) for around in (live, own))
    ]
    if asides:
        shadow.offer(asides, own)


def asks_shadow(aside: Aside, around: Circumstances) -> bool:
    """Whether the shadow's decision needs a prediction."""
    return asks_model(aside.message.text, aside.message.matched, around)


def agrees(aside: Aside, prediction: Prediction | None, around: Circumstances) -> bool:
    """Whether by the shadow's ``prediction`` the message would have gone to the same queue."""
    own = decide(
        event=aside.message.event,
        source=aside.source,
        text=aside.message.text,
        matched=aside.message.matched,
        prediction=prediction,
        around=around,
    )
    return own.queue == aside.queue
