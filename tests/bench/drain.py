"""One run: a program works through what waits, for a few seconds or until all is done."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from typing import NamedTuple

import orjson

from tests.bench.cases import ONNX, Case, Program
from tests.bench.figures import cpu_at
from tests.bench.output import Output, Span
from tests.bench.processes import Running, launch
from tests.bench.stand import Stand
from tests.bench.usage import Usage

_LOOK_SECONDS = 0.1
_FIRST_WITHIN = 90.0
_LEAST_STEPS = 5
"""Looks that found more: a run goes on until then, where a slice of long texts takes seconds."""
_LONGEST = 10.0
"""Times the seconds asked for."""
_LEAST_SPAN = 0.1
_SKIP = {1: 0.1, 2: 0.35}
"""By workers, the part of a run that does not count: the first fetches, and of a second worker the
rebalance that it brings."""


class Run(NamedTuple):
    """``rate`` in messages a second and ``cpu`` in processor seconds a thousand of them, all
    workers together; ``rss`` the largest resident memory in bytes, and ``grown`` how many of them
    each thousand messages added; ``first`` the seconds from the start to the first decision."""

    rate: float
    cpu: float
    rss: int
    grown: float
    first: float
    messages: int
    single: float = 0.0


class UnableError(Exception):
    """The program could not do the work; its log's end is the message."""


def drain(stand: Stand, case: Case, program: Program, seconds: float) -> Run:
    """Run ``program`` on ``case`` until ``seconds`` after its first decision, longer where it comes
    out in few large pieces.

    Raises:
        UnableError: it left, or decided nothing.
    """
    if program.name == ONNX:
        return _alone(stand, case, program, seconds)
    return asyncio.run(_drain(stand, case, program, seconds))


def start(stand: Stand, case: Case, program: Program, more: Mapping[str, str]) -> Running:
    """One process of ``program``; ``more`` is what it is told beside the case."""
    environ = {
        "BENCH_LOAD": case.load,
        "BENCH_TEXT": case.text,
        "BENCH_STYLE": program.style,
        "BENCH_FOLDER": str(stand.folder),
        **more,
    }
    return launch(("-m", program.module), environ, stand.folder)


async def _drain(stand: Stand, case: Case, program: Program, seconds: float) -> Run:
    async with stand.names(case) as names:
        output = Output(stand.broker, names.readable(case.load), case.partitions)
        async with output:
            with ExitStack() as stack:
                started = time.time()
                running = [
                    stack.enter_context(start(stand, case, program, names.environ))
                    for _ in range(case.workers)
                ]
                stand.place(case.load, running)
                usage = Usage(worker.pid for worker in running)
                await _until_done(output, usage, running, stand.waiting[case.load], seconds)
            exactly_once = case.delivery == "exactly-once"
            span = await output.span(_SKIP[case.workers], transactions=exactly_once)
    if span is None or span.until - span.since < _LEAST_SPAN:
        raise UnableError("All that it published was published at once: give it more to do.")
    return _run(usage, span, started)


async def _until_done(
    output: Output, usage: Usage, running: Sequence[Running], waiting: int, seconds: float
) -> None:
    began = time.monotonic()
    first, had, steps = 0.0, 0, 0
    while True:
        usage.look()
        ends = await output.ends()
        now = time.monotonic()
        if ends and not first:
            first = now
        steps += ends > had
        had = ends
        if ends >= waiting or (first and is_enough(now - first, steps, seconds)):
            return
        dead = [worker for worker in running if worker.code is not None]
        if dead or (not first and now > began + _FIRST_WITHIN):
            raise UnableError((dead or running)[0].log()[-2000:])
        await asyncio.sleep(_LOOK_SECONDS)


def is_enough(passed: float, steps: int, seconds: float) -> bool:
    """Whether a run may end ``passed`` seconds after its first output, which grew so many times."""
    return passed > seconds * (1.0 if steps >= _LEAST_STEPS else _LONGEST)


def _run(usage: Usage, span: Span, started: float) -> Run:
    thousands = span.records / 1000
    looks = usage.samples
    cpu = cpu_at(looks, span.until) - cpu_at(looks, span.since)
    inside = [look.rss for look in looks if span.since <= look.at <= span.until] or [looks[-1].rss]
    return Run(
        rate=span.records / (span.until - span.since),
        cpu=cpu / thousands,
        rss=max(look.rss for look in looks),
        grown=(inside[-1] - inside[0]) / thousands,
        first=span.first - started,
        messages=span.records,
    )


def _alone(stand: Stand, case: Case, program: Program, seconds: float) -> Run:
    """A program that reads nothing from the broker and tells its figures itself."""
    more = {"BENCH_SECONDS": str(seconds), "ROUTER_MODEL": stand.model}
    with start(stand, case, program, more) as running:
        stand.place(case.load, [running])
        with suppress(subprocess.TimeoutExpired):
            running.wait(_FIRST_WITHIN + seconds)
        if running.code != 0:
            raise UnableError(running.log()[-2000:])
    found = orjson.loads(running.log().splitlines()[-1])
    single = found["single"][len(found["single"]) // 2]
    return Run(found["rate"], found["cpu"], found["rss"], 0.0, 0.0, found["messages"], single)
