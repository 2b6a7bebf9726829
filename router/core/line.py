"""The line: a batch of records in, one outcome for each out. No I/O; safe to call from threads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from datetime import UTC, datetime
from functools import partial
from typing import Literal

from router.core.answering import Answer, Answering, show
from router.core.asking import Ask, OnFault, ask
from router.core.batch_reading import BatchReading, Ignored
from router.core.choosing import Model, ModelSet
from router.core.circumstances import Circumstances
from router.core.clock import Clock
from router.core.deciding import decide, ignore
from router.core.decision import Decision, Stage
from router.core.event import Event, Rejected
from router.core.parsing import EventValidators, parse_event
from router.core.policy import Policy
from router.core.prediction import Classifier
from router.core.record import InRecord, OutRecord, Source
from router.core.records import dead_letter, decision_records
from router.core.safely import Safely
from router.core.shadowing import Message, Shadow
from router.core.stopwatch import Stopwatch
from router.core.text import LanguageStep
from router.core.topics import IGNORED, REVIEW, Channel, Topics
from router.core.values import value

OutcomeKind = Literal["routed", "review", "dead_letter", "ignored"]


@value(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one record; either ``decision`` or ``rejected`` is set.

    ``timings`` are the whole batch's seconds by stage, one mapping for all of its outcomes, without
    the stages that it did not need: observe them once a batch. ``broker_time`` is the input's.
    """

    source: Source
    channel: Channel
    kind: OutcomeKind
    decision: Decision | None
    rejected: Rejected | None
    records: tuple[OutRecord, ...]
    timings: Mapping[Stage, float]
    broker_time: float


def _silent(_where: str, _error: Exception) -> None:
    """The default ``OnFault``."""


class Line:
    """Bytes to records under one policy and one set of models. Holds nothing that changes: under
    other models it is another line (`with_models`), so that a batch is answered by one set."""

    def __init__(  # noqa: PLR0917  # the plan's order
        self,
        policy: Policy,
        classifier: Classifier | None,
        languages: LanguageStep,
        validators: EventValidators,
        topics: Topics,
        clock: Clock,
        *,
        max_event_bytes: int,
        router_version: str,
        on_fault: OnFault = _silent,
        ask: Ask = ask,
    ) -> None:
        """``classifier`` None is a line without a model: rules decide, and people the rest. ``ask``
        may keep from asking it: a decision made meanwhile is another than a replay's."""
        self.policy = policy
        self.models = ModelSet(live=Model(classifier, ask) if classifier else None)
        self._safely = Safely(on_fault)
        self._reading = BatchReading(policy, languages, self._safely)
        self._validators = validators
        self._topics = topics
        self._clock = clock
        self._max_event_bytes = max_event_bytes
        self._router_version = router_version
        self._on_fault = on_fault

    @property
    def classifier(self) -> Classifier | None:
        """The live model's."""
        return self.models.live.classifier if self.models.live else None

    def with_models(self, models: ModelSet) -> Line:
        """This line under other models."""
        other = copy(self)
        other.models = models
        return other

    def route(self, records: Sequence[InRecord], fetched_at: float) -> list[Outcome]:
        """One outcome for each record, in order. ``fetched_at`` is the clock's monotonic time at
        which the batch came from the broker.

        No record can make this raise: a fault is that record's ``internal_error``, and a model
        that fails leaves its texts to the rules and to people.

        Raises:
            KeyError: a record comes from a topic that is none of the inputs.
        """
        watch = Stopwatch(self._clock, fetched_at)
        decided_at = datetime.fromtimestamp(self._clock.now(), UTC)
        around = partial(self._circumstances, decided_at, watch.timings)
        safely = self._safely
        parsed = [safely(record, self._parse, record) for record in records]
        watch.lap("parse")
        read = self._reading.read(records, parsed)
        watch.lap("read")
        asking = Answering(self.models, around, self._on_fault)
        answers = asking.answers([one if isinstance(one, Message) else None for one in read])
        if asking.asked:
            watch.model(asking.timed)
        decided = [
            safely(record, _decide, record, message, answer)
            for record, message, answer in zip(records, read, answers, strict=True)
        ]
        watch.lap("decide")
        outcomes = [
            self._outcome(record, event, decision, answer.around)
            for record, event, decision, answer in zip(
                records, parsed, decided, answers, strict=True
            )
        ]
        show(self.models, read, decided, around, self._on_fault)
        return outcomes

    def _circumstances(
        self, decided_at: datetime, timings: Mapping[Stage, float], model: Model | Shadow | None
    ) -> Circumstances:
        answers = model.classifier if model else None
        return Circumstances(
            policy=self.policy,
            model=answers.ref if answers else None,
            languages=answers.languages if answers else None,
            decided_at=decided_at,
            timings=timings,
            router_version=self._router_version,
            model_flags=frozenset(answers.flags) if answers else frozenset(),
        )

    def _parse(self, record: InRecord) -> Event | Rejected:
        channel = self._topics.channel(record.source.topic)
        return parse_event(channel, record, self._validators, self._max_event_bytes)

    def _write(
        self, record: InRecord, event: Event | Rejected, decision: Decision | Rejected
    ) -> tuple[OutRecord, ...] | Rejected:
        if isinstance(event, Rejected):
            return event
        if isinstance(decision, Rejected):
            return decision
        return decision_records(decision, event, record.headers, self._topics)

    def _outcome(
        self,
        record: InRecord,
        event: Event | Rejected,
        decision: Decision | Rejected,
        around: Circumstances,
    ) -> Outcome:
        written = self._safely(record, self._write, record, event, decision)
        rejected = written if isinstance(written, Rejected) else None
        if isinstance(written, Rejected):
            written = (dead_letter(written, record, around.decided_at, self._topics),)
        final = decision if isinstance(decision, Decision) and rejected is None else None
        return Outcome(
            source=record.source,
            channel=self._topics.channel(record.source.topic),
            kind=_kind(final),
            decision=final,
            rejected=rejected,
            records=written,
            timings=around.timings,
            broker_time=record.broker_time,
        )


def _decide(
    record: InRecord, message: Message | Ignored | Rejected, answer: Answer
) -> Decision | Rejected:
    if isinstance(message, Rejected):
        return message
    if isinstance(message, Ignored):
        return ignore(message.event, record.source, message.reason, answer.around)
    return decide(
        event=message.event,
        source=record.source,
        text=message.text,
        matched=message.matched,
        prediction=answer.prediction,
        around=answer.around,
    )


def _kind(decision: Decision | None) -> OutcomeKind:
    if decision is None:
        return "dead_letter"
    if decision.queue == IGNORED:
        return "ignored"
    return "review" if decision.queue == REVIEW else "routed"
