"""``python -m tests.bench.delivery``: what exactly once costs beside at least once.

Both on the same input, on the same warm broker, in turns: throughput with a line that does next
to nothing and with the real one, and the latency that a read-committed reader sees at half load,
beside what a transaction adds to a bare loop of the client's at that rate. Full load is the highest
rate at which either guarantee keeps the 99th percentile under `OBJECTIVE` while broker, sender and
reader run beside the worker on the same machine: a rate that one of them does not keep up with
would compare queues. Exit code 1: it costs more than is promised.

Latency is measured on a broker that compiles its code once (`quick`): one that optimises what runs
often is at that for half an hour of such rates, on the processors that it shares with the worker.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.bench.broker import folder_in_memory, new_traffic, warm_broker
from tests.bench.figures import Latency, middle
from tests.bench.latency import latency
from tests.bench.loading import fill
from tests.bench.processes import start
from tests.bench.stolen import undisturbed
from tests.integration.traffic import Traffic
from tests.kafka import Cluster

GUARANTEES = ("at-least-once", "exactly-once")
PARTS = ("echo", "model", "latency")
LEAST_RATIO = {"echo": 0.5, "model": 0.95}
MOST_ADDED = (10 / 6, 25 / 15)
"""At p50 and p99, of what a bare transaction adds: 10 and 25 ms where that is 6 and 15."""
OBJECTIVE = 0.25
"""Seconds."""
_LOWEST, _STEP = 20.0, 1.3
_WITHIN = 600.0


def main() -> int:
    arguments = _arguments()
    rounds = arguments.rounds
    with folder_in_memory() as folder:
        good = []
        if set(arguments.parts) & set(LEAST_RATIO):
            with _warm(Path(folder, "fast"), arguments.warm, quick=False) as cluster:
                if "echo" in arguments.parts:
                    good.append(_throughput(cluster, "echo", arguments.echo, rounds, folder))
                if "model" in arguments.parts:
                    # Shorter, and more of them: the machine's own swings are the larger error.
                    count = arguments.model
                    good.append(_throughput(cluster, "model", count, 3 * rounds, folder))
        if "latency" in arguments.parts:
            with _warm(Path(folder, "quick"), arguments.warm, quick=True) as cluster:
                rate = min(_full_load(cluster, name, folder) for name in GUARANTEES) / 2
                good.append(_latency(cluster, rate, arguments.seconds, rounds, folder))
    return 0 if all(good) else 1


@contextmanager
def _warm(folder: Path, seconds: float, *, quick: bool) -> Iterator[Cluster]:
    with warm_broker(folder, seconds, quick=quick) as (cluster, pace):
        _say(f"warmed: {pace:.0f} transactions/s at the end")
        yield cluster


def _full_load(cluster: Cluster, guarantee: str, folder: Path) -> float:
    """Records a second, found in steps."""
    traffic = new_traffic(cluster)
    rate = kept = _LOWEST
    with start("model", traffic.environ | {"ROUTER_DELIVERY": guarantee}, folder) as worker:
        worker.wait_event("ready")
        while (found := latency(traffic, rate, 8.0)).p99 < OBJECTIVE:
            kept, rate = rate, rate * _STEP
    _say(
        f"full load, {guarantee}: {kept:.0f} records/s; "
        f"at {rate:.0f} p99 is {found.p99 * 1e3:.0f} ms"
    )
    return kept


def _throughput(cluster: Cluster, line: str, count: int, rounds: int, folder: Path) -> bool:
    """Whether the ratio is as promised."""
    traffic = new_traffic(cluster)
    fill(traffic, count)
    rates: dict[str, list[float]] = {name: [] for name in GUARANTEES}
    for turn in range(rounds):
        for name in GUARANTEES if turn % 2 == 0 else reversed(GUARANTEES):
            rates[name].append(_drain(traffic, line, name, count, folder))
    plain, exact = (statistics.median(rates[name]) for name in GUARANTEES)
    ratio = exact / plain
    _say(f"{line}: {count:,} records, median of {rounds}")
    for name in GUARANTEES:
        _say(
            f"  {name:<14} {statistics.median(rates[name]):>9,.0f} records/s  {_each(rates[name])}"
        )
    _say(f"  ratio {ratio:.2f} (at least {LEAST_RATIO[line]})")
    return ratio >= LEAST_RATIO[line]


def _drain(traffic: Traffic, line: str, guarantee: str, count: int, folder: Path) -> float:
    """Records a second from the first slice to the last; the start does not count."""
    environ = traffic.environ | {
        "ROUTER_GROUP": f"g{uuid.uuid4().hex[:8]}",
        "ROUTER_DELIVERY": guarantee,
    }
    with start(line, environ, folder) as worker:
        worker.wait_decided(count, _WITHIN)
        slices = worker.slices()
    seconds = (slices[-1][0] - slices[0][0]).total_seconds()
    return sum(records for _, records in slices[1:]) / seconds


def _latency(cluster: Cluster, rate: float, seconds: float, rounds: int, folder: Path) -> bool:
    runs = [(line, name) for line in ("bare", "model") for name in GUARANTEES]
    found: dict[tuple[str, str], list[Latency]] = {run: [] for run in runs}
    for turn in range(rounds):
        for line, name in runs if turn % 2 == 0 else reversed(runs):
            found[line, name].append(
                undisturbed(partial(_one_latency, (line, name), cluster, rate, seconds, folder))
            )
    median = {run: middle(found[run]) for run in runs}
    _say(f"latency to a read-committed reader at {rate:.0f} records/s, median of {rounds}")
    added = {}
    for line in ("bare", "model"):
        plain, exact = (median[line, name] for name in GUARANTEES)
        added[line] = (exact.p50 - plain.p50, exact.p99 - plain.p99)
        for name, one in zip(GUARANTEES, (plain, exact), strict=True):
            _say(
                f"  {line:<5} {name:<14} p50 {one.p50 * 1e3:>6.1f} ms  p99 {one.p99 * 1e3:>6.1f} ms"
            )
        p50, p99 = added[line]
        _say(f"  {line:<5} {'added':<14} p50 {p50 * 1e3:>6.1f} ms  p99 {p99 * 1e3:>6.1f} ms")
    ratios = [ours / bare for ours, bare in zip(added["model"], added["bare"], strict=True)]
    _say(
        f"  of a bare transaction: {ratios[0]:.2f} and {ratios[1]:.2f} "
        f"(at most {MOST_ADDED[0]:.2f} and {MOST_ADDED[1]:.2f})"
    )
    return all(ratio <= most for ratio, most in zip(ratios, MOST_ADDED, strict=True))


def _one_latency(
    run: tuple[str, str], cluster: Cluster, rate: float, seconds: float, folder: Path
) -> Latency:
    line, guarantee = run
    traffic = new_traffic(cluster)
    with start(line, traffic.environ | {"ROUTER_DELIVERY": guarantee}, folder) as worker:
        worker.wait_event("ready")
        return latency(traffic, rate, seconds)


def _each(rates: Sequence[float]) -> str:
    return "(" + ", ".join(f"{rate:,.0f}" for rate in rates) + ")"


def _say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else "")
    parser.add_argument("--echo", type=int, default=200_000, help="records for the empty line")
    parser.add_argument("--model", type=int, default=4_000, help="records for the real one")
    parser.add_argument(
        "--parts", nargs="+", choices=PARTS, default=PARTS, help="what is measured (default: all)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="of each; the real line's are thrice")
    parser.add_argument("--warm", type=float, default=60.0, help="seconds before anything counts")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each latency run")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
