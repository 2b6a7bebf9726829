"""``python -m tests.bench.soak``: whether half an hour of work leaves a worker as it was.

The live bundle routes a mix of lengths at a steady mean rate, as it comes from independent
customers. Of its memory a straight line is drawn, after a first part in which caches fill; of
latency and processor time the first third is set beside the last. Exit code 1: memory grew by more
than can be noise; 2: its samples are too few or too alike to tell.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from tests.bench.broker import folder_in_memory, warm_broker
from tests.bench.cases import PROGRAMS, ROUTER, middle
from tests.bench.drain import start
from tests.bench.figures import Sample, cpu_at, latencies
from tests.bench.latency import WARM_SECONDS, waits
from tests.bench.machine import facts
from tests.bench.schedule import poisson
from tests.bench.slope import Slope, slope_of
from tests.bench.stand import Stand
from tests.bench.usage import Usage
from tests.bench.waits import way

_SAMPLE_SECONDS = 1.0
_SETTLING = 0.2
"""The part of the run in which memory may still grow: every length of text is met, every cache and
arena filled."""


def main() -> int:
    arguments = _arguments()
    seconds = arguments.minutes * 60
    with (
        folder_in_memory() as folder,
        warm_broker(folder / "kafka", arguments.warm, quick=False) as (cluster, _),
    ):
        stand = Stand(cluster, folder, {}, arguments.model)
        _say(f"{arguments.rate:g} messages a second for {arguments.minutes:g} minutes")
        samples, waited = asyncio.run(_soak(stand, arguments.rate, seconds))
    slope = _memory(samples)
    written = facts() | _figures(samples, waited, arguments.rate, slope)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_bytes(orjson.dumps(written, option=orjson.OPT_INDENT_2) + b"\n")
    _report(written)
    if math.isinf(slope.low):
        return 2
    return 0 if slope.low <= 0 else 1


async def _soak(stand: Stand, rate: float, seconds: float) -> tuple[list[Sample], list[float]]:
    case = replace(middle("live"), text="mix")
    (router,) = (program for program in PROGRAMS if program.name == ROUTER)
    async with stand.names(case, fresh=True) as names:
        with start(stand, case, router, names.environ) as running:
            stand.place(case.load, [running])
            usage = Usage([running.pid])
            sampling = asyncio.ensure_future(_sample(usage))
            try:
                due = poisson(rate, WARM_SECONDS + seconds)
                waited = await waits(way(stand, names, case), due)
            finally:
                sampling.cancel()
                with suppress(asyncio.CancelledError):
                    await sampling
    return usage.samples, waited


async def _sample(usage: Usage) -> None:
    told = 0
    while True:
        usage.look()
        if len(usage.samples) >= told + 60:
            told = len(usage.samples)
            _say(f"  {told // 60} min: {usage.samples[-1].rss / 1e6:.1f} MB")
        await asyncio.sleep(_SAMPLE_SECONDS)


def _memory(samples: Sequence[Sample]) -> Slope:
    """In bytes an hour, of the minutes' means after the first part."""
    settled = samples[int(len(samples) * _SETTLING) :]
    minutes = [settled[place : place + 60] for place in range(0, len(settled) - 59, 60)]
    hours = [(minute[0].at - settled[0].at) / 3600 for minute in minutes]
    return slope_of(hours, [sum(one.rss for one in minute) / len(minute) for minute in minutes])


def _figures(
    samples: Sequence[Sample], waited: Sequence[float], rate: float, slope: Slope
) -> dict[str, Any]:
    third = len(waited) // 3
    since, until = samples[0].at, samples[-1].at
    cut = (until - since) / 3
    # The first third begins once the worker has started.
    begun = since + min(30.0, cut / 2)
    first = cpu_at(samples, since + cut) - cpu_at(samples, begun)
    last = cpu_at(samples, until) - cpu_at(samples, until - cut)
    return {
        "rate": rate,
        "seconds": until - since,
        "messages": len(waited),
        "memory_mb": [round(one.rss / 1e6, 2) for one in samples[::60]],
        "memory_mb_an_hour": {name: value / 1e6 for name, value in slope._asdict().items()},
        "latency": [latencies(waited[:third])._asdict(), latencies(waited[-third:])._asdict()],
        "cpu_a_second": [first / (since + cut - begun), last / cut],
    }


def _report(found: dict[str, Any]) -> None:
    slope = found["memory_mb_an_hour"]
    word = "not distinguishable from none" if slope["low"] <= 0 <= slope["high"] else "a slope"
    if math.isinf(slope["low"]):
        word = "too few samples, or too alike, to tell: run it longer"
    _say(
        f"{found['messages']:,} messages in {found['seconds'] / 60:.0f} min\n"
        f"memory: {slope['value']:+.2f} MB an hour "
        f"({slope['low']:+.2f} to {slope['high']:+.2f}), {word}"
    )
    for name in ("p50", "p99"):
        first, last = (part[name] * 1e3 for part in found["latency"])
        _say(f"latency {name}: first third {first:.1f} ms, last {last:.1f} ms")
    first, last = found["cpu_a_second"]
    _say(f"processor seconds a second: first third {first:.3f}, last {last:.3f}")


def _say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else "")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--rate", type=float, default=50.0, help="messages a second, the mean")
    parser.add_argument("--model", default="", help="a bundle in place of the live one")
    parser.add_argument("--warm", type=float, default=30.0, help="seconds before anything counts")
    parser.add_argument("--out", type=Path, default=Path("build/soak.json"))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
