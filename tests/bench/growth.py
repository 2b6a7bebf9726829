"""``python -m tests.bench.growth``: whether cost grows as the work grows, and no faster.

In process, what 500 queues cost beside 16 and 2,000 rules beside 20; through Kafka, 500 queues that
really exist beside 16, and half a million waiting messages beside 20 thousand. The model answers at
once: what is left is the router's own. Prints ratios, writes a document. Exit code 1: a bound is
missed, or something could not be measured.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from tests.bench.broker import folder_in_memory, warm_broker
from tests.bench.drain import Run
from tests.bench.figures import Ratio
from tests.bench.growth_inside import SMALL, Measured, Size, measure, ratios
from tests.bench.growth_kafka import (
    Queues,
    Stands,
    backlog_ratios,
    measure_backlogs,
    measure_queues,
    queue_ratios,
)
from tests.bench.machine import facts

SCHEMA = "router-growth/v1"
PARTS = ("inside", "queues", "backlog")


def main() -> int:
    arguments = _arguments()
    with folder_in_memory() as folder:
        found, written, left_out = _measured(arguments, folder)
    document = {
        "schema": SCHEMA,
        **facts(),
        "settings": {name: value for name, value in vars(arguments).items() if name != "out"},
        **written,
        "ratios": [
            asdict(one) | {"value": one.value, "noise": one.noise, "kept": one.kept}
            for one in found
        ],
        "left_out": left_out,
    }
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
    _say("\n" + "\n".join([*map(line_of, found), *(f"left out: {one}" for one in left_out)]))
    _say(f"written: {arguments.out}")
    return 1 if left_out or any(one.kept is False for one in found) else 0


def line_of(ratio: Ratio) -> str:
    """One ratio for people, its noise and whether its promise is kept."""
    bound = "" if ratio.bound is None else f", at most {ratio.bound:g}"
    word = {True: "kept", False: "MISSED", None: "as it is"}[ratio.kept]
    return f"{word:<8} {ratio.name}: {ratio.value:.2f} (noise {ratio.noise:.0%}{bound})"


def _measured(
    arguments: argparse.Namespace, folder: Path
) -> tuple[list[Ratio], dict[str, list[Any]], list[str]]:
    found: list[Ratio] = []
    left_out: list[str] = []
    written: dict[str, list[Any]] = {}
    if "inside" in arguments.parts:
        queues, rules = arguments.queues, arguments.rules
        sizes = [SMALL, SMALL._replace(queues=queues), SMALL._replace(rules=rules)]
        inside = measure(sizes, arguments.rounds, arguments.batches, folder)
        found += ratios(inside)
        written["inside"] = [_inside(size, one) for size, one in inside.items()]
    if {"queues", "backlog"} & set(arguments.parts):
        with warm_broker(folder / "kafka", arguments.warm, quick=False) as (cluster, _):
            stands = Stands(cluster, folder)
            if "queues" in arguments.parts:
                counts = (SMALL.queues, arguments.queues)
                filled = measure_queues(
                    stands, counts, arguments.waiting, arguments.rounds, arguments.seconds
                )
                found += queue_ratios(filled)
                written["queues"] = [_queues(one, runs) for one, runs in filled.items()]
            if "backlog" in arguments.parts:
                backlogs = measure_backlogs(stands, arguments.backlogs, arguments.rounds)
                found += backlog_ratios(backlogs)
                written["backlog"] = _backlogs(backlogs)
            left_out = stands.left_out
    return found, written, left_out


def _inside(size: Size, one: Measured) -> dict[str, Any]:
    micros = " ".join(f"{each:.0f}" for each in one.micros)
    _say(f"{size.queues} queues, {size.rules} rules: {micros} µs; by rule {one.by_rule:.0%}")
    return {**size._asdict(), **asdict(one)}


def _queues(queues: Queues, runs: Sequence[Run]) -> dict[str, Any]:
    _say(f"{queues.words}: {_runs(runs)}")
    return {**queues._asdict(), "rounds": [run._asdict() for run in runs]}


def _backlogs(found: Mapping[int, Sequence[Run]]) -> list[dict[str, Any]]:
    for waiting, runs in found.items():
        grown = ", ".join(f"{run.grown:,.0f}" for run in runs)
        _say(f"{waiting:,} waiting: {_runs(runs)}; {grown} bytes more each thousand messages")
    return [
        {"waiting": waiting, "rounds": [run._asdict() for run in runs]}
        for waiting, runs in found.items()
    ]


def _runs(runs: Sequence[Run]) -> str:
    rates = " ".join(f"{run.rate:,.0f}" for run in runs)
    cpus = " ".join(f"{run.cpu * 1e3:,.0f}" for run in runs)
    return f"{rates} messages/s; {cpus} µs of processor each"


def _say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else "")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--queues", type=int, default=500, help="beside 16")
    parser.add_argument("--rules", type=int, default=2_000, help="beside 20")
    parser.add_argument("--backlogs", type=int, nargs=2, default=(20_000, 500_000))
    parser.add_argument("--waiting", type=int, default=100_000, help="messages for each of queues")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batches", type=int, default=40, help="of 256, in process, a round")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each run with queues")
    parser.add_argument("--warm", type=float, default=30.0, help="seconds before anything counts")
    parser.add_argument("--out", type=Path, default=Path("build/growth.json"))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
