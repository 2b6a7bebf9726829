"""``python -m tests.bench.delivery``: what exactly once costs beside at least once.

Both on the same input, on the same warm broker, in turns: throughput with a line that does next to
nothing and with the real one, and the latency that a read-committed reader sees at half load. Full
load is the highest rate at which either guarantee keeps the 99th percentile under `OBJECTIVE` while
broker, sender and reader run beside the worker on the same machine: a rate that one of them does
not keep up with would compare queues. Exit code 1: it costs more than is promised.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import uuid
from collections.abc import Sequence
from pathlib import Path

from tests.bench.latency import Latency, latency
from tests.bench.loading import fill
from tests.bench.processes import start
from tests.bench.warming import warm
from tests.integration.traffic import Traffic
from tests.kafka import Cluster

GUARANTEES = ("at-least-once", "exactly-once")
PARTS = ("echo", "model", "latency")
LEAST_RATIO = {"echo": 0.5, "model": 0.95}
MOST_ADDED = (0.010, 0.025)
"""Seconds at p50 and p99."""
OBJECTIVE = 0.25
"""Seconds."""
_LOWEST, _STEP = 20.0, 1.3
_WITHIN = 600.0


def main() -> int:
    arguments = _arguments()
    rounds = arguments.rounds
    with (
        tempfile.TemporaryDirectory() as folder,
        Cluster(Path(folder, "kafka"), quick=False) as cluster,
    ):
        place = Path(folder)
        _say(f"warmed: {warm(_topics(cluster), arguments.warm):.0f} transactions/s at the end")
        good = []
        if "echo" in arguments.parts:
            good.append(_throughput(cluster, "echo", arguments.echo, rounds, place))
        if "model" in arguments.parts:
            # Shorter, and more of them: the machine's own swings are the larger error.
            good.append(_throughput(cluster, "model", arguments.model, 3 * rounds, place))
        if "latency" in arguments.parts:
            rate = min(_full_load(cluster, name, place) for name in GUARANTEES) / 2
            good.append(_latency(cluster, rate, arguments.seconds, rounds, place))
    return 0 if all(good) else 1


def _full_load(cluster: Cluster, guarantee: str, folder: Path) -> float:
    """Records a second, found in steps."""
    traffic = _topics(cluster)
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
    traffic = _topics(cluster)
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
    found: dict[str, list[Latency]] = {name: [] for name in GUARANTEES}
    for turn in range(rounds):
        for name in GUARANTEES if turn % 2 == 0 else reversed(GUARANTEES):
            traffic = _topics(cluster)
            with start("model", traffic.environ | {"ROUTER_DELIVERY": name}, folder) as worker:
                worker.wait_event("ready")
                found[name].append(latency(traffic, rate, seconds))
    p50, p99 = ([statistics.median(one[n] for one in found[g]) for g in GUARANTEES] for n in (0, 1))
    added = (p50[1] - p50[0], p99[1] - p99[0])
    _say(f"latency to a read-committed reader at {rate:.0f} records/s, median of {rounds}")
    for n, name in enumerate(GUARANTEES):
        _say(f"  {name:<14} p50 {p50[n] * 1e3:>6.1f} ms  p99 {p99[n] * 1e3:>6.1f} ms")
    most = " and ".join(f"{seconds * 1e3:.0f}" for seconds in MOST_ADDED)
    _say(f"  added {added[0] * 1e3:.1f} and {added[1] * 1e3:.1f} ms (at most {most})")
    return added[0] <= MOST_ADDED[0] and added[1] <= MOST_ADDED[1]


def _topics(cluster: Cluster) -> Traffic:
    traffic = Traffic(cluster.bootstrap, f"b{uuid.uuid4().hex[:8]}.")
    traffic.create_topics()
    return traffic


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
    parser.add_argument("--warm", type=float, default=75.0, help="seconds before anything counts")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each latency run")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
