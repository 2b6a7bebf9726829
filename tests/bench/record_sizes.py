"""How large a message is: what comes in, and what the router makes of it, in bytes as they are
sent (uncompressed, without the few that a batch adds)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import starmap

from router.core.record import Headers, InRecord, Source
from router.ops.clock import SystemClock
from router.settings import Settings
from tests.bench.cases import Text
from tests.bench.texts import Message, TokensOf, messages
from tests.bench.work import null_line

_RECORD = 12
"""Length, attributes, time and offset deltas, and the lengths of key and value, roughly."""
_HEADER = 2


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes and records a message: ``into`` is the input, ``out`` all outputs together."""

    into: float
    out: float
    records: float


def sizes_of(text: Text, tokens_of: TokensOf, most: int = 400) -> Sizes:
    """The mean over the messages of this kind, at most so many."""
    settings = Settings()
    topics = settings.topics()
    line = null_line(settings, SystemClock(), _raise)

    def record(number: int, message: Message) -> InRecord:
        topic = topics.email if message.channel == "email" else topics.chat
        value = message.value(number)
        return InRecord(Source(topic, 0, number), message.key, value, (), 0.0)

    inputs = list(starmap(record, enumerate(messages(text, tokens_of)[:most])))
    outputs = [one for outcome in line.route(inputs, 0.0) for one in outcome.records]
    return Sizes(
        _mean([_bytes(one.key, one.value, one.headers) for one in inputs], len(inputs)),
        _mean([_bytes(one.key, one.value, one.headers) for one in outputs], len(inputs)),
        len(outputs) / len(inputs),
    )


def _bytes(key: bytes | None, value: bytes | None, headers: Headers) -> int:
    more = sum(len(name) + len(content or b"") + _HEADER for name, content in headers)
    return _RECORD + len(key or b"") + len(value or b"") + more


def _mean(sizes: Sequence[int], messages: int) -> float:
    return sum(sizes) / messages


def _raise(_where: str, error: Exception) -> None:
    raise error
