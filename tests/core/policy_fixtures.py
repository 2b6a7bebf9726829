"""Policies, messages and a model for the tests of deciding."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from router.core.event import ChatMessage
from router.core.policy import Policy
from router.core.policy_file import load_policy
from router.core.prediction import IntentScore, ModelRef, Prediction, Predictions, Question
from router.core.record import Headers, InRecord, Source
from router.core.text import CustomerText
from router.policies import file_schema

POLICY = """\
schema: routing-policy/v1
name: small
version: "7"
defaults: {threshold: 0.5, in_scope: 0.4, priority: 3, due: 1d}
review: {priority: 2, due: 2h}
otherwise: router.review
queues:
  fraud: {description: Theft., intents: [stolen_card], threshold: 0.3, priority: 1, due: 15m}
  cards: {description: Cards., intents: [card_arrival, card_broken]}
  risk: {description: At risk., priority: 1, due: 5m}
  vip: {description: Private clients.}
rules:
  - {name: risk-words, when: {text: {words: [kill myself]}}, queue: risk, flag: vulnerable}
  - {name: vip-segment, when: {segment: private}, queue: vip, priority: 2}
  - {name: theft-words, when: {text: {words: [stole*]}}, queue: fraud, flag: fraud}
"""

TIME = datetime(2026, 3, 2, 8, 15, 27, tzinfo=UTC)
MODEL = ModelRef("small-en", "1", "a" * 64)


def policy_of(source: str = POLICY) -> Policy:
    return load_policy(source.encode(), "policy.yaml", file_schema("routing-policy.v1"))


def message(text: str = "", **fields: Any) -> ChatMessage:
    return ChatMessage(
        event_id="e1",
        time=fields.pop("time", TIME),
        conversation_id="c1",
        author="customer",
        customer_id=None,
        locale=None,
        country=fields.get("country"),
        product=fields.get("product"),
        segment=fields.get("segment"),
        fields=fields,
        raw=b"{}",
        text=text,
    )


def text_of(words: str, language: str = "en") -> CustomerText:
    return CustomerText(words, language, ())


def english(*texts: str) -> list[Question]:
    return [Question(text, "en") for text in texts]


def prediction(scores: Mapping[str, float], in_scope: float = 1.0) -> Prediction:
    intents = tuple(IntentScore(intent, score) for intent, score in scores.items())
    return Prediction(intents, in_scope, stage="only", truncated=False)


def chat_record(text: str, *, offset: int = 0, headers: Headers = (), **fields: Any) -> InRecord:
    body = {
        "event_id": f"e{offset}",
        "time": "2026-03-02T09:15:27+01:00",
        "conversation_id": "c1",
        "text": text,
        **fields,
    }
    return record(orjson.dumps(body), offset=offset, headers=headers)


def record(
    value: bytes | None,
    *,
    topic: str = "messages.chat",
    offset: int = 0,
    headers: Headers = (),
) -> InRecord:
    return InRecord(Source(topic, 3, offset), b"key", value, headers, broker_time=100.0)


@dataclass
class StubClock:
    """Each reading of ``monotonic`` is a second later than the one before."""

    wall: float = TIME.timestamp()
    elapsed: float = 1000.0

    def now(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        self.elapsed += 1.0
        return self.elapsed


@dataclass
class StubModel:
    """Answers with ``answer``; raises on a batch that holds one of ``breaks_on``."""

    answer: Callable[[str], Prediction] = lambda _: prediction({"card_arrival": 0.9})
    breaks_on: frozenset[str] = frozenset()
    asked: list[list[str]] = field(default_factory=list)
    ref: ModelRef = MODEL
    languages: frozenset[str] = frozenset({"en"})
    intents: tuple[str, ...] = ("stolen_card", "card_arrival", "card_broken")

    flags: tuple[str, ...] = ()

    def predict(self, questions: Sequence[Question]) -> Predictions:
        texts = [question.text for question in questions]
        self.asked.append(texts)
        if self.breaks_on & set(texts):
            raise RuntimeError("the model broke")
        return Predictions(tuple(map(self.answer, texts)), tokenise_seconds=0.25, infer_seconds=0.5)


class StubLanguages:
    """Says what stands before the first colon, where two letters stand there."""

    def languages_of(self, texts: Sequence[str], locales: Sequence[str | None]) -> list[str]:
        return [self._language(text) for text in texts]

    def _language(self, text: str) -> str:
        if text.startswith("raise:"):
            raise RuntimeError("the language step broke")
        head, colon, _ = text.partition(":")
        return head if colon and len(head) == 2 else "en"
