"""The decision: flags first, then rules, then the model where it is sure, else people."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Literal

from router.core import explaining
from router.core.circumstances import Circumstances
from router.core.decision import Candidate, Decision
from router.core.decision_id import decision_id
from router.core.destination import Destination, by_flag, by_model, by_rule, to_review
from router.core.event import Event, channel_of
from router.core.policy import Handling, Matched, Policy
from router.core.prediction import Prediction
from router.core.record import Source
from router.core.text import UNKNOWN_LANGUAGE, CustomerText
from router.core.topics import IGNORED

SCHEMA = "routing-decision/v1"

IgnoreReason = Literal["not_customer", "auto_reply"]

_IGNORED = {"not_customer": explaining.NOT_CUSTOMER, "auto_reply": explaining.AUTO_REPLY}
_LEAST_URGENT = 5
_LAST_TIME = datetime.max.replace(tzinfo=UTC)


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
        destination = by_rule(matched.flags[gravest])
    elif gravest is not None:
        destination = by_flag(policy.flags[gravest], read[gravest])
    elif matched.rule is not None:
        destination = by_rule(matched.rule)
    elif not text.text:
        destination = to_review(around.policy, "empty", explaining.EMPTY)
    elif not _reads(text.language, around):
        destination = to_review(around.policy, "language", explaining.other_language(text.language))
    elif prediction is None:
        destination = to_review(around.policy, "model_unavailable", explaining.NO_MODEL)
    else:
        destination = by_model(prediction, policy)
    return _decision(
        event=event,
        source=source,
        destination=destination,
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
    destination = Destination(
        queue=IGNORED,
        reason=reason,
        explanation=_IGNORED[reason],
        handling=Handling(_LEAST_URGENT, timedelta(0)),
    )
    return _decision(
        event=event,
        source=source,
        destination=destination,
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


def _decision(
    *,
    event: Event,
    source: Source,
    destination: Destination,
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
        queue=destination.queue,
        reason=destination.reason,
        explanation=destination.explanation,
        rule=destination.rule,
        intent=best.intent if best else None,
        confidence=round(best.confidence, 4) if best else None,
        threshold=destination.threshold,
        candidates=_candidates(prediction, around.policy),
        flags=flags,
        language=language,
        priority=destination.handling.priority,
        due_at=None if destination.queue == IGNORED else _due(event.time, destination.handling.due),
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
