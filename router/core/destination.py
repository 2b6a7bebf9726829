"""Where a message goes by a rule, a flag or a prediction, and why."""

from __future__ import annotations

from router.core import explaining
from router.core.decision import Reason
from router.core.policy import Flag, Handling, Policy, Rule
from router.core.prediction import Prediction
from router.core.topics import REVIEW
from router.core.values import value


@value(frozen=True, slots=True, kw_only=True)
class Destination:
    """A queue, how it is to be handled there, and why it is that one."""

    queue: str
    reason: Reason
    explanation: str
    handling: Handling
    rule: str | None = None
    threshold: float | None = None


def by_rule(rule: Rule) -> Destination:
    """The rule's own."""
    return Destination(
        queue=rule.queue,
        reason="flag" if rule.flag else "rule",
        explanation=explaining.rule_matches(rule),
        handling=rule.handling,
        rule=rule.name,
    )


def by_flag(flag: Flag, probability: float) -> Destination:
    """That of a flag which the model raises."""
    return Destination(
        queue=flag.queue,
        reason="flag",
        explanation=explaining.flagged(flag.name, probability, flag.threshold, flag.queue),
        handling=flag.handling,
    )


def by_model(prediction: Prediction, policy: Policy) -> Destination:
    """The likeliest intent's queue where the model is sure enough for it; else the review queue."""
    intent = prediction.intents[0].intent
    confidence = round(prediction.intents[0].confidence, 4)
    in_scope = round(prediction.in_scope, 4)
    queue = policy.queue_of(intent)
    threshold = policy.threshold_of(queue)
    reason: Reason
    # Written as "not at least" so that a NaN counts as not sure.
    if not in_scope >= policy.in_scope:
        reason, queue = "out_of_scope", REVIEW
        why = explaining.out_of_scope(in_scope, policy.in_scope)
    elif threshold >= 1:  # a confidence rounded to 1 would pass, and 1 stands for never
        why = explaining.never_alone(intent, confidence, queue)
        reason, queue = "low_confidence", REVIEW
    elif not confidence >= threshold:
        why = explaining.low_confidence(intent, confidence, queue, threshold)
        reason, queue = "low_confidence", REVIEW
    elif policy.takes(intent):
        reason = "intent"
        why = explaining.sure(intent, confidence, queue, threshold)
    else:
        reason = "fallback"
        why = explaining.no_queue(intent, confidence, queue)
    return Destination(
        queue=queue,
        reason=reason,
        explanation=why,
        handling=policy.handling_of(queue),
        threshold=threshold,
    )


def to_review(policy: Policy, reason: Reason, why: str) -> Destination:
    """To people."""
    return Destination(queue=REVIEW, reason=reason, explanation=why, handling=policy.review)
