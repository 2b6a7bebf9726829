"""The policy as a value: queues, what goes to which, and rules that come before the model."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from difflib import get_close_matches
from types import MappingProxyType

from router.core.conditions import Condition, Facts, Matcher
from router.core.decision import PolicyRef
from router.core.event import Event, channel_of
from router.core.text import CustomerText
from router.core.topics import REVIEW
from router.core.values import value


@dataclass(frozen=True, slots=True)
class Handling:
    """How soon people should look: 1 (now) to 5, and how long after the message's time."""

    priority: int
    due: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """``threshold`` is the least confidence with which the model alone may send here; with 1 it
    never does."""

    name: str
    description: str
    intents: tuple[str, ...]
    threshold: float
    handling: Handling


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Comes before the model. A rule with a ``flag`` marks each message that it matches, even
    where a rule before it has decided the queue."""

    name: str
    description: str
    when: Condition
    queue: str
    flag: str | None
    handling: Handling


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A safety flag that the model may raise too: with at least ``threshold``, the message goes to
    ``queue`` whatever else it asks."""

    name: str
    queue: str
    threshold: float
    handling: Handling


@value(frozen=True, slots=True)
class Matched:
    """What the rules say: the first that matches, and for each flag the first that raises it."""

    rule: Rule | None
    flags: Mapping[str, Rule]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """``queues`` in the file's order; ``flags`` likewise, the gravest first; ``otherwise`` is a
    queue's name or ``router.review``; ``languages`` narrows the model's (None: no narrowing)."""

    ref: PolicyRef
    queues: Mapping[str, Queue]
    flags: Mapping[str, Flag]
    rules: tuple[Rule, ...]
    otherwise: str
    review: Handling
    threshold: float
    in_scope: float
    candidates: int
    languages: frozenset[str] | None
    _queue_of: Mapping[str, str] = field(init=False, repr=False, compare=False)
    _matcher: Matcher = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        queue_of = {
            intent: queue.name for queue in self.queues.values() for intent in queue.intents
        }
        object.__setattr__(self, "_queue_of", MappingProxyType(queue_of))
        object.__setattr__(self, "_matcher", Matcher([rule.when for rule in self.rules]))

    @property
    def name(self) -> str:
        return self.ref.name

    @property
    def version(self) -> str:
        return self.ref.version

    @property
    def hash(self) -> str:
        return self.ref.hash

    @property
    def intents(self) -> frozenset[str]:
        """The intents that have a queue."""
        return frozenset(self._queue_of)

    def takes(self, intent: str) -> bool:
        """Whether a queue takes this intent by name."""
        return intent in self._queue_of

    def queue_of(self, intent: str) -> str:
        """Where an intent goes; the catch-all where the policy does not name it."""
        return self._queue_of.get(intent, self.otherwise)

    def threshold_of(self, queue: str) -> float:
        return self.queues[queue].threshold if queue in self.queues else self.threshold

    def handling_of(self, queue: str) -> Handling:
        return self.review if queue == REVIEW else self.queues[queue].handling

    def match(self, event: Event, text: CustomerText) -> Matched:
        """The rules' answer to a message."""
        facts: Facts = {
            "channel": channel_of(event),
            "language": text.language,
            "country": event.country,
            "product": event.product,
            "segment": event.segment,
        }
        matching = [self.rules[i] for i in self._matcher.match(text.text, facts, event.fields)]
        flags: dict[str, Rule] = {}
        for rule in matching:
            if rule.flag:
                flags.setdefault(rule.flag, rule)
        return Matched(matching[0] if matching else None, flags)

    def gravest(self, flags: Collection[str]) -> str | None:
        """The first of the policy's flags that is among ``flags``."""
        return next((name for name in self.flags if name in flags), None)


def check_policy_against_model(
    policy: Policy,
    intents: Collection[str],
    languages: Collection[str] = (),
    flags: Collection[str] = (),
) -> list[str]:
    """What a policy and a model do not have in common, one sentence each; empty: they fit."""
    known = set(intents)
    warnings = [
        f"The model has no intent {intent}, which queue {policy.queue_of(intent)} takes"
        f"{_nearest(intent, known - policy.intents)}."
        for intent in sorted(policy.intents - known)
    ]
    warnings += [
        f"No queue takes the model's intent {intent}: it goes to {policy.otherwise}."
        for intent in sorted(known - policy.intents)
    ]
    warnings += [
        f"The policy has no flag {flag}, which the model knows: it is not acted on."
        for flag in sorted(set(flags) - policy.flags.keys())
    ]
    if languages and policy.languages is not None:
        warnings += [
            f"The policy admits language {language}, which the model does not read."
            for language in sorted(policy.languages - set(languages))
        ]
    return warnings


def _nearest(name: str, names: Collection[str]) -> str:
    close = get_close_matches(name, sorted(names), n=1)
    return f" (did you mean {close[0]}?)" if close else ""
