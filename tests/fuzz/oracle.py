"""What must hold of every record, whatever is in it."""

from __future__ import annotations

import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import orjson

from router.assembly import open_languages, open_validators
from router.core.line import Line, Outcome
from router.core.prediction import IntentScore, ModelRef, Prediction, Predictions, Question
from router.core.record import InRecord, OutRecord
from router.core.records import TOO_LARGE_KEEPS
from router.policies import open_policy
from tests.contract.contracts import schema, validator
from tests.fuzz.records import TOPICS

MAX_EVENT_BYTES = 1_000_000
SECONDS_EACH = 5.0
"""Processor time that no record may take; the slowest so far, of a megabyte, takes a tenth."""

_VALIDATED = 5
"""Every so many-th decision is held against its schema, which takes longer than to make it."""

_DECISION = schema("routing-decision")
_QUEUED = validator({**_DECISION, "$ref": "#/$defs/queued"})
_LOGGED = validator({**_DECISION, "$ref": "#/$defs/logged"})
_DEAD_LETTER = validator(schema("dead-letter-headers"))


class _Clock:
    """Always the same time: so are the decisions."""

    def now(self) -> float:
        return 1_772_443_000.0

    def monotonic(self) -> float:
        return 10.0


@dataclass(slots=True)
class _Model:
    """Answers by a checksum of the text; fails on a few, gives what is no share for a few."""

    intents: tuple[str, ...]
    ref: ModelRef = field(default_factory=lambda: ModelRef("fuzz", "1", "0" * 64))
    languages: frozenset[str] = frozenset({"en"})
    flags: tuple[str, ...] = ()

    def predict(self, questions: Sequence[Question]) -> Predictions:
        return Predictions(tuple(self._answer(question.text) for question in questions), 0.0, 0.0)

    def _answer(self, text: str) -> Prediction:
        drawn = zlib.crc32(text.encode())
        if drawn % 211 == 0:
            raise RuntimeError("the model breaks on this text")
        confidence = float("nan") if drawn % 223 == 0 else drawn % 10_000 / 10_000
        intent = self.intents[drawn % len(self.intents)]
        other = self.intents[drawn % 7]
        scores = (IntentScore(intent, confidence), IntentScore(other, 0.0001))
        return Prediction(scores, 1 - drawn % 101 / 500, "only", truncated=False)


class _Languages:
    """The real step, which takes a third of a record's time: asked once for each text."""

    def __init__(self) -> None:
        step = open_languages()
        self._alone = lru_cache(maxsize=10_000)(lambda *one: step.languages_of([one[0]], [one[1]]))

    def languages_of(self, texts: Sequence[str], locales: Sequence[str | None]) -> list[str]:
        return [self._alone(*one)[0] for one in zip(texts, locales, strict=True)]


class Oracle:
    """A line of the core's own, and what it may and may not do."""

    def __init__(self) -> None:
        policy = open_policy()
        self._faults: list[str] = []
        self._line = Line(
            policy,
            _Model((*sorted(policy.intents), "an_intent_that_no_queue_takes")),
            _Languages(),
            open_validators(),
            TOPICS,
            _Clock(),
            max_event_bytes=MAX_EVENT_BYTES,
            router_version="0",
            on_fault=self._fault,
        )

    def alone(self, record: InRecord) -> tuple[Outcome | None, float, str]:
        """Its outcome, the processor seconds that it took, and what is wrong, if anything."""
        self._faults.clear()
        began = time.process_time()
        try:
            outcomes = self._line.route([record], 10.0)
        except BaseException as error:  # nothing at all may come out of it; a panic is no Exception
            if isinstance(error, KeyboardInterrupt):
                raise
            return None, time.process_time() - began, f"raised {error!r}"
        seconds = time.process_time() - began
        if len(outcomes) != 1:
            return None, seconds, f"{len(outcomes)} outcomes"
        wrong = self._faults or _wrong(record, outcomes[0])
        if not wrong and seconds > SECONDS_EACH:
            wrong = [f"it took {seconds:.1f} s"]
        return outcomes[0], seconds, "; ".join(wrong)

    def together(self, records: Sequence[InRecord], alone: Sequence[Outcome | None]) -> str:
        """Whether a batch gives each record what it gets alone; what is wrong, if anything."""
        outcomes = self._line.route(records, 10.0)
        for record, outcome, other in zip(records, outcomes, alone, strict=True):
            if other is None or outcome.kind != other.kind or _said(outcome) != _said(other):
                return f"{record.source} is decided otherwise in a batch"
        return ""

    def _fault(self, where: str, error: Exception) -> None:
        if where != "model":
            self._faults.append(f"{where}: {error!r}")


def _said(outcome: Outcome) -> list[tuple[str, bytes | None, object]]:
    """What is published, without the timings, which are a batch's."""
    return [
        (out.topic, out.key, _untimed(out) if outcome.decision else (out.value, out.headers))
        for out in outcome.records
    ]


def _untimed(out: OutRecord) -> object:
    value = orjson.loads(out.value or b"")
    return {name: part for name, part in value.items() if name != "timings"}


def _wrong(record: InRecord, outcome: Outcome) -> list[str]:
    topics = [out.topic for out in outcome.records]
    if outcome.source != record.source:
        return ["the outcome is another record's"]
    if (outcome.decision is None) == (outcome.rejected is None):
        return ["neither decided nor rejected, or both"]
    if outcome.rejected is not None:
        if outcome.kind != "dead_letter" or topics != [TOPICS.dead_letter]:
            return [f"rejected, and {outcome.kind} on {topics}"]
        return _wrong_dead_letter(record, outcome.records[0])
    queue = outcome.decision.queue if outcome.decision else ""
    wanted = [] if outcome.kind == "ignored" else [TOPICS.of_queue(queue)]
    if topics != [*wanted, TOPICS.decisions]:
        return [f"{outcome.kind} on {topics}"]
    return _wrong_decision(outcome.records) if record.source.offset % _VALIDATED == 0 else []


def _wrong_decision(records: Sequence[OutRecord]) -> list[str]:
    (*queued, logged) = records
    wrong = [] if _LOGGED.is_valid(orjson.loads(logged.value or b"")) else ["its log's schema"]
    if queued and not _QUEUED.is_valid(orjson.loads(queued[0].value or b"")):
        wrong.append("its queue's schema")
    return wrong


def _wrong_dead_letter(record: InRecord, out: OutRecord) -> list[str]:
    ours = {name: (value or b"").decode() for name, value in out.headers if name[:7] == "router-"}
    if not _DEAD_LETTER.is_valid(ours):
        return [f"a dead letter's headers: {sorted(ours)}"]
    if ours["router-reason"] == "internal_error":
        return ["internal_error"]
    kept = (
        record.value[:TOO_LARGE_KEEPS] if record.value and "router-size" in ours else record.value
    )
    return [] if out.value == kept and out.key == record.key else ["a dead letter's bytes"]
