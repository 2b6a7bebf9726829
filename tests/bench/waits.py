"""Latency runs: which program, on which load, at which rate; and what is due when."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import NamedTuple

from aiokafka import ConsumerRecord

from tests.bench.cases import PROGRAMS, ROUTER, Case, Load, Program, middle
from tests.bench.drain import start
from tests.bench.figures import Latency, latencies
from tests.bench.latency import WARM_SECONDS, Input, Way, waits
from tests.bench.schedule import poisson
from tests.bench.stand import Names, Stand
from tests.bench.texts import event_id_of

SHARES = (0.1, 0.5, 0.8)
"""Of the capacity that was measured in the same run."""

QUIET = 20.0
"""Records a second at which nothing queues: the transport's own latency, and stock Faust's."""


class Wait(NamedTuple):
    """One latency run; ``rate`` in records a second, ``share`` of the capacity or 0."""

    program: str
    load: Load
    rate: float
    share: float = 0.0

    @property
    def case(self) -> Case:
        return middle(self.load)


def plan(capacity: float) -> list[Wait]:
    """The live bundle at each share of its ``capacity``, the copy at half of it, and the copy
    beside stock Faust where it is quiet."""
    live = [Wait(ROUTER, "live", capacity * share, share) for share in SHARES]
    half = Wait(ROUTER, "copy", capacity * 0.5, 0.5)
    return [*live, half, Wait(ROUTER, "copy", QUIET), Wait("faust", "copy", QUIET)]


def measure(stand: Stand, wait: Wait, seconds: float) -> Latency:
    """From due to readable, for records that come as independent customers do.

    Raises:
        TimeoutError: the program did not keep up.
    """
    due = poisson(wait.rate, WARM_SECONDS + seconds)
    return latencies(asyncio.run(_measure(stand, wait, due)))


async def _measure(stand: Stand, wait: Wait, due: list[float]) -> list[float]:
    case = wait.case
    async with stand.names(case, fresh=True) as names:
        with start(stand, case, _program(wait.program), names.environ) as running:
            stand.place(case.load, [running])
            return await waits(way(stand, names, case), due)


def _program(name: str) -> Program:
    """Faust takes events one by one here: its batches wait to be full."""
    (found,) = (program for program in PROGRAMS if program.name == name)
    return found if name == ROUTER else replace(found, style="events")


def way(stand: Stand, names: Names, case: Case) -> Way:
    """Chat and email in, and of what ``case`` publishes that which has one record for each."""
    some = stand.messages(case.text)

    def record(number: int) -> Input:
        message = some[number % len(some)]
        email = message.channel == "email"
        topic = names.topics.email if email else names.topics.chat
        return Input(topic, message.key, message.value(number))

    def got(record: ConsumerRecord) -> int:
        return event_id_of(record.value)

    return Way(stand.broker, names.readable(case.load), record, lambda number, _: number, got)
