"""What the model alone would do with a labelled message, by the decision that the worker makes."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from datetime import UTC, datetime
from hashlib import sha256
from types import MappingProxyType

from router.core.circumstances import Circumstances
from router.core.deciding import decide
from router.core.event import ChatMessage
from router.core.fitting import Sent
from router.core.policy import Matched, Policy
from router.core.prediction import Prediction
from router.core.record import Source
from router.core.text import CustomerText

_TIME = datetime(2000, 1, 1, tzinfo=UTC)
_NO_RULES = Matched(None, {})

_APART = 26
"""Of 256: the share of messages that `router.core.fitting` sets aside, about a tenth."""


class ModelAlone:
    """A policy without its rules and thresholds: languages, scope and flags still count."""

    def __init__(self, policy: Policy, languages: Collection[str]) -> None:
        queues = {
            name: dataclasses.replace(queue, threshold=0.0) for name, queue in policy.queues.items()
        }
        self._policy = dataclasses.replace(policy, queues=MappingProxyType(queues), threshold=0.0)
        self._around = Circumstances(
            policy=self._policy,
            model=None,
            languages=frozenset(languages),
            decided_at=_TIME,
            timings={},
            router_version="",
        )

    def send(
        self, text: str, language: str, label: str, prediction: Prediction, *, in_scope: bool
    ) -> Sent | None:
        """Where ``text`` would go by its intent; None where that does not decide.

        ``label`` is its right intent, of which there is none where it is not ``in_scope``.
        """
        decision = decide(
            event=_event(text),
            source=Source("policy-fit", 0, 0),
            text=CustomerText(text.strip(), language, ()),
            matched=_NO_RULES,
            prediction=prediction,
            around=self._around,
        )
        if decision.reason not in {"intent", "fallback"} or decision.confidence is None:
            return None
        if decision.queue not in self._policy.queues:
            return None
        return Sent(
            queue=decision.queue,
            confidence=decision.confidence,
            right=in_scope and self._policy.queue_of(label) == decision.queue,
            apart=sha256(text.encode()).digest()[0] < _APART,
        )


def reachable(policy: Policy) -> list[str]:
    """The queues to which the model alone may send, in the policy's order."""
    return [
        name for name, queue in policy.queues.items() if queue.intents or name == policy.otherwise
    ]


def _event(text: str) -> ChatMessage:
    return ChatMessage(
        event_id="fit",
        time=_TIME,
        conversation_id="fit",
        author="customer",
        customer_id=None,
        locale=None,
        country=None,
        product=None,
        segment=None,
        fields={},
        raw=b"",
        text=text,
    )
