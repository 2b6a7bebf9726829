"""The work itself, the same code for the router and for every baseline: only what carries the
records to it and away from it differs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import chain
from unittest import mock

from router import assembly
from router.core.asking import OnFault
from router.core.breaker import Watch
from router.core.clock import Clock
from router.core.line import Line, Outcome
from router.core.record import InRecord, OutRecord
from router.core.topics import Topics
from router.ops.clock import SystemClock
from router.settings import Settings
from tests.chaos.cheap import CheapClassifier
from tests.stream.echo import EchoLine, outcome_of

Work = Callable[[Sequence[InRecord]], Sequence[OutRecord]]


class CopyLine(EchoLine):
    """Each record as it came, to the review topic; nothing is read, one decision serves all."""

    def route(self, records: Sequence[InRecord], fetched_at: float) -> list[Outcome]:
        first = outcome_of(records[0], self.topics, max(0.0, time.monotonic() - fetched_at))
        return [
            Outcome(
                source=record.source,
                channel=first.channel,
                kind=first.kind,
                decision=first.decision,
                rejected=None,
                records=(copied(record, self.topics),),
                timings=first.timings,
                broker_time=record.broker_time,
            )
            for record in records
        ]


class _InstantClassifier(CheapClassifier):
    """Of intents that the default policy routes, to several queues."""

    intents = (
        "lost_or_stolen_card",
        "card_arrival",
        "pending_card_payment",
        "pending_transfer",
        "pending_top_up",
        "pending_cash_withdrawal",
    )


def copied(record: InRecord, topics: Topics) -> OutRecord:
    """``record`` for the review topic."""
    return OutRecord(topics.review, record.key, record.value, ())


def null_line(
    settings: Settings, clock: Clock, on_fault: OnFault, watch: Watch | None = None
) -> Line:
    """The real line in all but the model, which answers at once (one text in ten unsurely)."""
    with mock.patch.object(assembly, "open_classifier", return_value=_InstantClassifier()):
        return assembly.build_line(settings, clock, on_fault, watch)


def work_of(load: str, settings: Settings) -> Work:
    """What a baseline does with the records that it was given, before it publishes what comes of
    them: the router's own code."""
    if load == "copy":
        topics = settings.topics()
        return lambda records: [copied(record, topics) for record in records]
    clock = SystemClock()
    build = null_line if load == "null" else assembly.build_line
    line = build(settings, clock, _raise)

    def route(records: Sequence[InRecord]) -> Sequence[OutRecord]:
        outcomes = line.route(records, clock.monotonic())
        return list(chain.from_iterable(outcome.records for outcome in outcomes))

    return route


def _raise(_where: str, error: Exception) -> None:
    raise error
