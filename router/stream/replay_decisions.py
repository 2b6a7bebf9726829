"""Past input, decided again and compared with what was decided; nothing is written anywhere."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from router.core.line import Outcome
from router.core.record import InRecord
from router.core.redeciding import Comparison, Past, read_decision, share_out
from router.core.replaying import Judge
from router.settings import Settings
from router.stream.replay_log import Log, Place, Progress, Range, open_log, partitions_of, require

_SKEW = 300.0
"""Seconds by which the worker's clock may be behind upstream's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Input of ``topics`` from broker time ``first`` to before ``last`` (seconds since the epoch),
    at most ``limit`` records of it."""

    topics: Sequence[str]
    first: float
    last: float
    limit: int | None
    keep: int


async def redecide(
    settings: Settings, line: Judge, period: Period, progress: Progress
) -> Comparison:
    """Decide the period's input again with ``line``, and compare.

    Memory: eight bytes for each record of the period, and one batch of records.

    Raises:
        BrokerError: a topic is missing, or the broker does not answer.
    """
    decisions = settings.topics().decisions
    partitions = await partitions_of(settings, (*period.topics, decisions))
    require(partitions, (*period.topics, decisions))
    inputs = {topic: partitions[topic] for topic in period.topics}
    async with open_log(settings) as log:
        found = await log.between(inputs, period.first, period.last)
        ranges = found if period.limit is None else share_out(found, period.limit)
        ranges = {place: part for place, part in ranges.items() if part[0] < part[1]}
        past = Past(ranges)
        if ranges:
            logs = {decisions: partitions[decisions]}
            written = await log.between(logs, max(0.0, period.first - _SKEW), None)
            await _read_past(log, written, past, set(ranges), progress)
        comparison = Comparison(period.keep)
        for place, part in ranges.items():
            async for records in log.read(place, part):
                outcomes = await asyncio.to_thread(_route, line, records)
                for outcome in outcomes:
                    comparison.add(outcome, past.get(outcome.source))
                progress("decided again", len(records))
    return comparison


async def _read_past(
    log: Log,
    written: Mapping[Place, Range],
    past: Past,
    inputs: set[Place],
    progress: Progress,
) -> None:
    """The decision log, each partition no further than it can be about the period: an input
    partition's decisions stand there in the order of its offsets."""
    for place, part in written.items():
        waiting = set(inputs)
        async with aclosing(log.read(place, part)) as batches:
            async for records in batches:
                for record in records:
                    if (found := read_decision(record.value)) and not past.add(*found):
                        waiting.discard((found[0].topic, found[0].partition))
                progress("decisions read", len(records))
                if not waiting:
                    break


def _route(line: Judge, records: list[InRecord]) -> list[Outcome]:
    return line.route(records, 0.0)
