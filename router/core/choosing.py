"""Which model answers a conversation: the live one, or the canary for its share of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from router.core.asking import Answered, Ask, OnFault, ask
from router.core.prediction import Classifier, Question
from router.core.shadowing import Shadow

Role = Literal["live", "canary", "shadow"]

_SPAN = 2**64


class Close(Protocol):
    """Ends what a model keeps going beside its calls. Never raises, never waits."""

    def __call__(self) -> None: ...


def _nothing() -> None:
    """The default `Close`."""


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A classifier, the way it is asked, and how that ends when it is no longer in force."""

    classifier: Classifier
    ask: Ask = ask
    close: Close = _nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSet:
    """The models in force together: ``canary`` decides for ``share`` of the conversations, ``live``
    for the others and wherever the canary has no answer; ``shadow`` decides nothing. Without
    ``live`` rules and people decide."""

    live: Model | None
    canary: Model | None = None
    share: float = 0.0
    shadow: Shadow | None = None

    def takes(self, conversation_id: str) -> bool:
        """Whether this conversation is the canary's."""
        return self.canary is not None and in_share(conversation_id, self.share)

    def closers(self, after: ModelSet) -> list[Close]:
        """What ends those that are in force no more once ``after`` is."""
        kept = (after.live, after.canary, after.shadow)
        return [
            one.close
            for one in (self.live, self.canary, self.shadow)
            if one is not None and all(one is not other for other in kept)
        ]


def in_share(conversation_id: str, share: float) -> bool:
    """Whether a conversation is among the first ``share`` of all, in an order that is the same
    everywhere and for ever. A larger share keeps the conversations of a smaller one."""
    digest = hashlib.sha256(conversation_id.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8]) < share * _SPAN


def under_the_name(role: Role, way: Ask) -> Ask:
    """``way`` of asking, whose faults are told as those of ``role``."""

    def asking(classifier: Classifier, questions: Sequence[Question], told: OnFault) -> Answered:
        return way(classifier, questions, _renamed(role, told))

    return asking


def _renamed(role: Role, told: OnFault) -> Callable[[str, Exception], None]:
    return lambda where, error: told(role if where == "model" else where, error)
