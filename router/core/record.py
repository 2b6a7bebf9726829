"""Kafka records as plain values: what came in, and what is to be published."""

from __future__ import annotations

from router.core.values import value

Headers = tuple[tuple[str, bytes | None], ...]
"""Record headers in order; a name may come twice, a value may be null."""


@value(frozen=True)
class Source:
    """Where an input record stands: the coordinates that never change on a replay."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


@value(frozen=True, slots=True)
class InRecord:
    """One consumed record, undecoded. ``broker_time`` is the record's timestamp in seconds, UTC."""

    source: Source
    key: bytes | None
    value: bytes | None
    headers: Headers
    broker_time: float


@value(frozen=True, slots=True)
class OutRecord:
    """One record to publish; its partition follows from the key."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers
