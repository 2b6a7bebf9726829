"""The decision: flags first, then rules, then the model where it is sure, else people."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Literal

from router.core import explaining
from router.core.circumstances import Circumstances
from router.core.decision import Candidate, Decision, Reason
from router.core.decision_id import decision_id
from router.core.event import Event, channel_of
from router.core.policy import Flag, Handling, Matched, Policy, Rule
from router.core.prediction import Prediction
from router.core.record import Source
from router.core.text import UNKNOWN_LANGUAGE, CustomerText
from router.core.topics import IGNORED, REVIEW
from router.core.values import value

SCHEMA = "routing-decision/v1"

IgnoreReason = Literal["not_customer", "auto_reply"]

_IGNORED = {"not_customer": explaining.NOT_CUSTOMER, "auto_reply": explaining.AUTO_REPLY}
_LEAST_URGENT = 5
_LAST_TIME = datetime.max.replace(tzinfo=UTC)


@value(frozen=True, slots=True, kw_only=True)
class _Choice:
    queue: str
    reason: Reason
    explanation: str
    handling: Handling
    rule: str | None = None
    threshold: float | None = None


def asks_model(text: CustomerText, matched: Matched, around: Circumstances) -> bool:
    """Whether a decision on ``text`` needs a prediction: where a rule decides, only for flags
    graver than the rule's."""
    if not text.text or not _reads(text.language, around):
        return False
    if matched.rule is None:
        return True
    graver = takewhile(lambda flag: flag not in matched.flags, around.policy.flags)
    return any(flag in around.model_flags for flag in graver)


def decide(
    *,
    event: Event,
    source: Source,
    text: CustomerText,
    matched: Matched,
    prediction: Prediction | None,
    around: Circumstances,
) -> Decision:
    """The decision on a customer's message; always one, and the same for the same arguments.

    ``prediction`` is None where the model was not asked or could not answer. A flag decides first,
    the gravest of those that rules or the model raise; then the rules, then the model.
    """
    if prediction is not None and not (prediction.intents and _reads(text.language, around)):
        prediction = None
    policy = around.policy
    read = _flags_read(prediction, policy)
    flags = {*matched.flags, *read}
    gravest = policy.gravest(flags) if flags else None
    if gravest is not None and gravest in matched.flags:
        choice = _by_rule(matched.flags[gravest])
    elif gravest is not None:
        choice = _by_flag(policy.flags[gravest], read[gravest])
    elif matched.rule is not None:
        choice = _by_rule(matched.rule)
    elif not text.text:
        choice = _review(around, "empty", explaining.EMPTY)
    elif not _reads(text.language, around):
        choice = _review(around, "language", explaining.other_language(text.language))
    elif prediction is None:
        choice = _review(around, "model_unavailable", explaining.NO_MODEL)
    else:
        choice = _by_model(prediction, policy)
    return _decision(
        event=event,
        source=source,
        choice=choice,
        language=text.language,
        flags=_gravest_first(flags, policy) if flags else (),
        prediction=prediction,
        around=around,
    )


def _flags_read(prediction: Prediction | None, policy: Policy) -> dict[str, float]:
    """The flags that the model raises, with their probabilities."""
    read: dict[str, float] = {}
    for score in prediction.flags if prediction is not None else ():
        flag, probability = policy.flags.get(score.flag), round(score.probability, 4)
        if flag is not None and probability >= flag.threshold:
            read[score.flag] = probability
    return read


def _gravest_first(flags: Collection[str], policy: Policy) -> tuple[str, ...]:
    rank = {flag: place for place, flag in enumerate(policy.flags)}
    return tuple(sorted(flags, key=lambda flag: (rank.get(flag, len(rank)), flag)))


def ignore(event: Event, source: Source, reason: IgnoreReason, around: Circumstances) -> Decision:
    """The decision to route nowhere what no customer wrote."""
    choice = _Choice(
        queue=IGNORED,
        reason=reason,
        explanation=_IGNORED[reason],
        handling=Handling(_LEAST_URGENT, timedelta(0)),
    )
    return _decision(
        event=event,
        source=source,
        choice=choice,
        language=UNKNOWN_LANGUAGE,
        flags=(),
        prediction=None,
        around=around,
    )


def _reads(language: str, around: Circumstances) -> bool:
    if language == UNKNOWN_LANGUAGE:
        return True
    read, admitted = around.languages, around.policy.languages
    return (read is None or language in read) and (admitted is None or language in admitted)


def _by_rule(rule: Rule) -> _Choice:
    return _Choice(
        queue=rule.queue,
        reason="flag" if rule.flag else "rule",
        explanation=explaining.rule_matches(rule),
        handling=rule.handling,
        rule=rule.name,
    )


def _by_flag(flag: Flag, probability: float) -> _Choice:
    return _Choice(
        queue=flag.queue,
        reason="flag",
        explanation=explaining.flagged(flag.name, probability, flag.threshold, flag.queue),
        handling=flag.handling,
    )


def _by_model(prediction: Prediction, policy: Policy) -> _Choice:
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
    return _Choice(
        queue=queue,
        reason=reason,
        explanation=why,
        handling=policy.handling_of(queue),
        threshold=threshold,
    )


def _review(around: Circumstances, reason: Reason, why: str) -> _Choice:
    return _Choice(
        queue=REVIEW,
        reason=reason,
        explanation=why,
        handling=around.policy.review,
    )


def _decision(
    *,
    event: Event,
    source: Source,
    choice: _Choice,
    language: str,
    flags: tuple[str, ...],
    prediction: Prediction | None,
    around: Circumstances,
) -> Decision:
    best = prediction.intents[0] if prediction is not None else None
    return Decision(
        schema=SCHEMA,
        decision_id=decision_id(source),
        event_id=event.event_id,
        channel=channel_of(event),
        conversation_id=event.conversation_id,
        time=event.time,
        decided_at=around.decided_at,
        queue=choice.queue,
        reason=choice.reason,
        explanation=choice.explanation,
        rule=choice.rule,
        intent=best.intent if best else None,
        confidence=round(best.confidence, 4) if best else None,
        threshold=choice.threshold,
        candidates=_candidates(prediction, around.policy),
        flags=flags,
        language=language,
        priority=choice.handling.priority,
        due_at=None if choice.queue == IGNORED else _due(event.time, choice.handling.due),
        policy=around.policy.ref,
        model=around.model if prediction is not None else None,
        source=source,
        timings=around.timings,
        router_version=around.router_version,
    )


def _candidates(prediction: Prediction | None, policy: Policy) -> tuple[Candidate, ...]:
    """The best, and all of the prediction set: who sorts or asks back needs it whole."""
    if prediction is None:
        return ()
    return tuple(
        Candidate(
            score.intent,
            policy.queue_of(score.intent),
            round(score.confidence, 4),
            likely=score.intent in prediction.likely,
        )
        for place, score in enumerate(prediction.intents)
        if place < policy.candidates or score.intent in prediction.likely
    )


def _due(time: datetime, due: timedelta) -> datetime:
    """Counted from the message, not from now, so that a replay gives the same."""
    try:
        return time + due
    except OverflowError:
        return _LAST_TIME
