"""Messages of a stated length: chat of 16 tokens, long chat of 64, emails of 200, and a mix.

The sentences are invented, English, and none is decided by a rule of the default policy: every one
of them is the model's to answer.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from router.core.topics import Channel
from tests.bench.cases import Text

TokensOf = Callable[[str], int]

LENGTHS: dict[Text, int] = {"chat": 16, "long": 64, "email": 200}
MIX: dict[Text, float] = {"chat": 0.6, "long": 0.25, "email": 0.15}
"""An invented share of each; a bank that knows its own should put it here."""

_DIFFERENT = 400
"""So many different texts, of so many conversations."""

_SENTENCES = (
    "My new card still has not come and it has been two weeks now.",
    "How do I change the PIN of my debit card?",
    "The cash machine gave me less money than I asked for.",
    "I was charged twice at the grocer's on Friday evening.",
    "Why was my transfer to my sister declined this morning?",
    "What is your exchange rate for kroner today?",
    "My top up has been pending since this morning.",
    "Which documents do you need to prove who I am?",
    "Can I pay for a hotel abroad with this card?",
    "The app says that my payment is still pending.",
    "I would like to know when the refund of the shoes will arrive.",
    "Is there a fee for taking out money in another country?",
)


@dataclass(frozen=True, slots=True)
class Message:
    """An event but for its id. ``value`` makes it whole."""

    channel: Channel
    conversation: int
    before: bytes
    after: bytes

    @property
    def key(self) -> bytes:
        return b"c%d" % self.conversation

    def value(self, event_id: int) -> bytes:
        return b"%b%d%b" % (self.before, event_id, self.after)


def event_id_of(value: bytes) -> int:
    """The number that `Message.value` was given, from an event or from a decision about it."""
    start = value.index(_ID) + len(_ID)
    return int(value[start : value.index(b'"', start)])


_ID = b'"event_id":"'


def messages(text: Text, tokens_of: TokensOf, *, seed: int = 1) -> list[Message]:
    """Different ones, in the order in which they are sent; ``tokens_of`` counts as the model."""
    dice = random.Random(seed)  # noqa: S311 - reproducible, not secret
    kinds: Sequence[Text] = [text] * _DIFFERENT
    if text == "mix":
        kinds = dice.choices(list(MIX), list(MIX.values()), k=_DIFFERENT)
    return [
        _message(kind, number, of_length(LENGTHS[kind], dice, tokens_of))
        for number, kind in enumerate(kinds)
    ]


def of_length(tokens: int, dice: random.Random, tokens_of: TokensOf) -> str:
    """A text of at most ``tokens`` tokens, and of no fewer than a word would take."""
    words: list[str] = []
    while tokens_of(" ".join(words)) <= tokens:
        words += dice.choice(_SENTENCES).split()
    while tokens_of(" ".join(words)) > tokens:
        words.pop()
    return " ".join(words)


def _message(kind: Text, number: int, text: str) -> Message:
    channel: Channel = "email" if kind == "email" else "chat"
    body: dict[str, str] = {"event_id": "\0", "time": "2026-01-05T08:00:00Z"}
    if channel == "email":
        subject, _, rest = text.partition(" ")
        body |= {"thread_id": f"c{number}", "from": "Ana Test <ana@customer.test>"}
        body |= {"subject": subject, "body_text": rest}
    else:
        body |= {"conversation_id": f"c{number}", "text": text}
    before, after = json.dumps(body, separators=(",", ":")).split("\\u0000")
    return Message(channel, number, before.encode(), after.encode())
