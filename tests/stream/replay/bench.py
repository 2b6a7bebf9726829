"""A router's topics with dead letters on them, made by a line in this process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord

from router.assembly import build_line
from router.cli.main import run
from router.core.line import Line
from router.core.record import InRecord, OutRecord, Source
from router.ops.clock import SystemClock
from router.settings import Settings
from router.stream.replay_log import open_log, partitions_of
from tests.bench.baselines.incoming import record_of
from tests.integration.traffic import Bad, Reader, Traffic

LARGEST = 8_000_000

LIMIT = 1_000
"""Bytes, in force while the dead letters are made."""

MENDED = {"time": "2026-03-02T08:00:00Z"}
"""What `bad` lacks."""


def line_of(settings: Settings) -> Line:
    """The settings' line without a model: rules decide, and people the rest."""

    def fail(where: str, error: Exception) -> None:
        raise AssertionError(f"a fault at {where}") from error

    return build_line(settings, SystemClock(), fail, model=False)


class Bench:
    """``traffic`` and what a worker would make of it. Every method blocks."""

    def __init__(self, traffic: Traffic) -> None:
        self.traffic = traffic
        self.settings = traffic.settings
        self.topics = traffic.topics
        self._decided: set[Source] = set()

    def work(self, **changed: Any) -> int:
        """Decide what came since, under settings that are ``changed``; how many records."""
        line = line_of(replace(self.settings, **changed))
        new = [one for one in self.inputs() if one.source not in self._decided]
        self._decided |= {one.source for one in new}
        outcomes = line.route(new, 0.0) if new else []
        self.publish([record for outcome in outcomes for record in outcome.records])
        return len(new)

    def inputs(self) -> list[InRecord]:
        return [record_of(one) for one in self.on(*self.topics.inputs)]

    def on(self, *topics: str) -> list[ConsumerRecord]:
        """All that is committed on ``topics``."""
        return Reader(self.traffic, topics).all()

    def dead_letters(self) -> list[ConsumerRecord]:
        return self.on(self.topics.dead_letter)

    def sent_again(self) -> list[InRecord]:
        return [
            one
            for one in self.inputs()
            if any(name == "router-replayed-from" for name, _ in one.headers)
        ]

    def marks(self) -> list[str]:
        return [one.key.decode() for one in self.on(self.topics.replays)]

    def decisions(self) -> dict[str, dict[str, Any]]:
        """The decision log, by decision id."""
        found = (orjson.loads(one.value) for one in self.on(self.topics.decisions))
        return {one["decision_id"]: one for one in found}

    def publish(self, records: Sequence[OutRecord], partition: int | None = None) -> None:
        asyncio.run(self._publish(records, partition))

    def ends(self) -> dict[Any, Any]:
        """Every topic's parts, what is in the air included."""

        async def look() -> dict[Any, Any]:
            names = (*self.topics.inputs, *self.traffic.outputs, self.topics.replays)
            partitions = await partitions_of(self.settings, names)
            async with open_log(self.settings, committed=False) as log:
                return await log.ranges(partitions)

        return asyncio.run(look())

    async def _publish(self, records: Sequence[OutRecord], partition: int | None) -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=self.settings.broker, max_request_size=LARGEST, acks="all"
        )
        await producer.start()
        try:
            for one in records:
                await producer.send_and_wait(
                    one.topic,
                    one.value,
                    key=one.key,
                    headers=list(one.headers),
                    partition=partition,
                )
        finally:
            await producer.stop()


def bad(name: str, **fields: Any) -> Bad:
    """A chat event that lacks its time."""
    value = {"event_id": name, "conversation_id": f"c-{name}", "text": "my card", **fields}
    return Bad(name, orjson.dumps(value), "missing_field", "time", key=f"c-{name}".encode())


def event_ids(records: Sequence[InRecord]) -> list[str]:
    return [orjson.loads(one.value or b"")["event_id"] for one in records]


def replay(capsys: pytest.CaptureFixture[str], *args: str, code: int = 0) -> dict[str, Any]:
    """``router replay dead-letter --json``, and what it printed."""
    capsys.readouterr()
    left = run(["replay", "dead-letter", "--json", *args])
    out, err = capsys.readouterr()
    assert left == code, err
    answer: dict[str, Any] = json.loads(out)
    return answer


def send(capsys: pytest.CaptureFixture[str], *args: str, code: int = 0) -> dict[str, Any]:
    return replay(capsys, "--re-emit", "--yes", *args, code=code)
