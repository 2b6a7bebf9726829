"""Which record goes out when: drawn from a seed, so that a run can be had again."""

from __future__ import annotations

import base64
import random
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from router.core.topics import Channel
from router.demo.broken import Broken
from router.demo.corpus import Conversation, Message

_BURST_FROM, _BURST_TO = 0.5, 0.7
"""The share of the records that comes at once, as on the morning after an outage."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One record to emit ``at`` seconds after the start."""

    at: float
    channel: Channel
    event_id: str
    conversation_id: str
    content: Message | Broken

    @property
    def key(self) -> bytes:
        return self.conversation_id.encode()

    @property
    def words(self) -> str:
        """What to show of it."""
        if isinstance(self.content, Broken):
            return f"(broken: {self.content.reason.replace('_', ' ')})"
        return self.content.words

    def value(self, now: float) -> bytes | None:
        """The record's bytes, the event written at ``now`` (seconds since the epoch)."""
        if isinstance(self.content, Broken):
            return self.content.value
        return orjson.dumps(self._event(self.content, now))

    def _event(self, message: Message, now: float) -> dict[str, Any]:
        fields = dict(message.fields)
        if raw := fields.get("raw"):
            wire = "\r\n".join(raw.splitlines()) + "\r\n"
            fields["raw"] = base64.b64encode(wire.encode()).decode()
        elif message.channel == "email":
            sender = "help" if message.author != "customer" else f"c{self.conversation_id[-6:]}"
            fields["from"] = f"{sender}@example.com"
        return {
            "schema": f"{message.channel}-message/v1",
            "event_id": self.event_id,
            "time": datetime.fromtimestamp(now, UTC).isoformat(),
            "conversation_id" if message.channel == "chat" else "thread_id": self.conversation_id,
            "customer_id": f"customer-{self.conversation_id[-6:]}",
            "author": message.author,
            "locale": message.locale,
            "country": message.locale.rpartition("-")[2],
            **fields,
        }


def plan(
    corpus: Sequence[Conversation],
    broken: Sequence[Broken],
    *,
    events: int,
    seconds: float,
    seed: int,
) -> list[Planned]:
    """``events`` records over about ``seconds``: the corpus and the broken ones, mixed.

    With more events than the corpus has they come again, in new conversations; with fewer it is
    what came first. Messages of one conversation keep their order.
    """
    rng = random.Random(seed)  # noqa: S311 - a repeatable mixture, no secret
    times = _times(rng, events, seconds)
    return [
        Planned(at, content.channel, event_id, conversation_id, content)
        for at, (event_id, conversation_id, content) in zip(
            times, _endless(rng, corpus, broken), strict=False
        )
    ]


def _endless(
    rng: random.Random, corpus: Sequence[Conversation], broken: Sequence[Broken]
) -> Iterator[tuple[str, str, Message | Broken]]:
    contents: list[tuple[Message, ...] | tuple[Broken, ...]] = [*corpus, *((b,) for b in broken)]
    while True:
        waiting = [(_id(rng), deque[Message | Broken](content)) for content in contents]
        # One ticket for each message: who is drawn says its conversation's next.
        tickets = [index for index, content in enumerate(contents) for _ in content]
        rng.shuffle(tickets)
        for index in tickets:
            conversation_id, messages = waiting[index]
            yield _id(rng), conversation_id, messages.popleft()


def _id(rng: random.Random) -> str:
    return str(UUID(int=rng.getrandbits(128), version=4))


def _times(rng: random.Random, events: int, seconds: float) -> list[float]:
    """Random arrivals at an even rate, but for the burst, whose records come together."""
    gaps = [
        0.0 if _BURST_FROM <= n / events < _BURST_TO else rng.expovariate(1) for n in range(events)
    ]
    scale = seconds / (sum(gaps) or 1)
    times, now = [], 0.0
    for gap in gaps:
        now += gap * scale
        times.append(now)
    return times
