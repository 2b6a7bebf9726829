"""Invented messages for tests: a seed gives the same ones again.

Chat and email, several languages, long conversations and short; some by nobody who needs an
answer, some about nothing a bank does, some empty. All names and texts are made up.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from router.core.topics import Channel

TEXTS = (
    "My new card still has not come, it has been two weeks.",
    "There is a payment on my statement that I did not make!",
    "How do I change my PIN?",
    "the cash machine kept my card",
    "I was charged twice at the grocer's on Friday",
    "Why was my transfer to my sister declined?",
    "What is your exchange rate for kroner today",
    "I want to make a complaint about how I was treated on the phone.",
    "Please send me a copy of all the data you hold about me.",
    "my top up has been pending since this morning",
    "How old must my daughter be for an account",
    "Which documents do you need to prove who I am?",
    "I lost my phone in the tram and the app is on it",
    "My father died last month and I do not know what to do with his account.",
    "What is the weather like on the moon?",
    "can you book me a table for two tonight",
    "thanks, that was helpful",
    "hi",
    "",
    "🙂🙂🙂",
    "Meine Karte ist immer noch nicht angekommen, wann kommt sie endlich?",
    "Ma carte a été avalée par le distributeur, que dois-je faire ?",
    "No reconozco este cargo en mi tarjeta, por favor ayúdenme.",
    "Min kortbetaling ble avvist i butikken i dag.",
    "Karta nie działa, a jutro wyjeżdżam na urlop.",
)

_START = datetime(2026, 1, 5, 8, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Emitted:
    """One record to produce; ``value`` is the event's JSON, ``conversation`` its key as text."""

    channel: Channel
    event_id: str
    conversation: str
    value: bytes

    @property
    def key(self) -> bytes:
        return self.conversation.encode()


def events(count: int, *, seed: int, conversations: int | None = None) -> Iterator[Emitted]:
    """``count`` events, a third of them email; a conversation has five on average."""
    dice = random.Random(seed)  # noqa: S311 - reproducible, not secret
    pool = conversations or max(1, count // 5)
    for number in range(count):
        conversation = dice.randrange(pool)
        make = _email if conversation % 3 == 0 else _chat
        yield make(dice, f"e{seed}-{number}", f"c{seed}-{conversation}", number)


def chat(event_id: str, text: str, conversation: str = "c0", **fields: Any) -> Emitted:
    body = {"conversation_id": conversation, "text": text, **fields}
    return _emitted("chat", event_id, conversation, 0, body)


def sized(event_id: str, size: int) -> Emitted:
    """A chat event whose value has exactly ``size`` bytes, most of them words."""
    bare = chat(event_id, "")
    words = "My card has not come. " * (size // 22 + 1)
    made = chat(event_id, words[: size - len(bare.value)])
    if len(made.value) != size:
        raise ValueError(f"an event of {size} bytes is too small")
    return made


def _chat(dice: random.Random, event_id: str, conversation: str, number: int) -> Emitted:
    body: dict[str, Any] = {"conversation_id": conversation, "text": _text(dice)}
    if dice.random() < 0.1:
        body["author"] = dice.choice(("colleague", "bot", "customer"))
    if dice.random() < 0.3:
        body |= {"locale": "en-GB", "country": "GB", "product": "debit-card"}
    if dice.random() < 0.5:
        body["schema"] = "chat-message/v1"
    return _emitted("chat", event_id, conversation, number, body)


def _email(dice: random.Random, event_id: str, conversation: str, number: int) -> Emitted:
    text = _text(dice)
    form = dice.choice(("text", "html", "raw", "reply", "auto"))
    body: dict[str, Any] = {"thread_id": conversation, "from": "Ana Test <ana@customer.test>"}
    if form == "raw":
        lines = ("Subject: A question", "Content-Type: text/plain; charset=utf-8", "", text)
        body["raw"] = base64.b64encode("\r\n".join(lines).encode()).decode()
    elif form == "html":
        body |= {"subject": "A question", "body_html": f"<p>{text}</p>"}
    else:
        quoted = "\n\nOn Monday the bank wrote:\n> How can we help?" if form == "reply" else ""
        body |= {"subject": "Re: A question", "body_text": text + quoted}
    if form == "auto":
        body["headers"] = {"Auto-Submitted": "auto-replied"}
    return _emitted("email", event_id, conversation, number, body)


def _text(dice: random.Random) -> str:
    text = dice.choice(TEXTS)
    return f"{text} (Ref {dice.randrange(10_000)})" if text and dice.random() < 0.3 else text


def _emitted(
    channel: Channel, event_id: str, conversation: str, number: int, body: dict[str, Any]
) -> Emitted:
    time = (_START + timedelta(seconds=number)).isoformat()
    value = {"event_id": event_id, "time": time, **body}
    ensure_ascii = number % 2 == 0  # upstreams write both
    return Emitted(
        channel, event_id, conversation, json.dumps(value, ensure_ascii=ensure_ascii).encode()
    )
