"""``python -m tests.chaos``: the delivery guarantees under violence, on Apache Kafka."""

from __future__ import annotations

import argparse
import logging
import math
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import orjson

from tests.chaos.check import check
from tests.chaos.history import Delivery, load, save
from tests.chaos.report import Report, make_report, table
from tests.chaos.run import Shape, run
from tests.kafka import Cluster, Unavailable

_PART = 8


def main() -> int:
    arguments = _arguments()
    if arguments.check:
        return _check(arguments.check)
    reports = []
    for shape in _shapes(arguments):
        try:
            reports.append(_one(shape))
        except (Unavailable, RuntimeError) as error:
            _say(f"the run came to no end: {error}")
            return 3
        if arguments.json:
            figures = [{**one.figures, "problems": one.problems} for one in reports]
            arguments.json.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2))
    return int(any(one.problems for one in reports))


def _shapes(arguments: argparse.Namespace) -> Iterator[Shape]:
    """Three nodes and all that was asked for; one node, which dies outright, and a part of it."""
    for nodes in [arguments.nodes] if arguments.nodes else [3, 1]:
        part = 1 if arguments.nodes or nodes == 3 else _PART
        for delivery in [arguments.delivery] if arguments.delivery else get_args(Delivery):
            yield Shape(
                arguments.seed,
                delivery,
                kills=math.ceil(arguments.kills / part),
                restarts=math.ceil(arguments.restarts / part),
                nodes=nodes,
                rate=arguments.rate,
            )


def _one(shape: Shape) -> Report:
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    # What our own clients say while their broker is dead is no news.
    logging.basicConfig(filename=folder / "clients.log", force=True)
    _say(f"==> {shape.delivery}: {shape.kills} kills, {shape.restarts} broker restarts, "
         f"{shape.nodes} nodes; replay with --seed {shape.seed}; logs in {folder}")  # fmt: skip
    with Cluster(folder, nodes=shape.nodes) as cluster:
        outcome = run(shape, cluster, folder, _say)
    report = make_report(shape, outcome)
    _say(table(report))
    if report.problems:
        path = folder / "history.jsonl"
        save(outcome.history, path)
        _say(
            f"the history is kept in {path}; `python -m tests.chaos --check {path}` reads it again"
        )
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return report


def _check(path: Path) -> int:
    try:
        violations = check(load(path)).violations
    except (OSError, ValueError) as error:
        _say(f"{path} cannot be checked: {error}")
        return 2
    for one in violations:
        _say(f"{one.fault}: {one.what}")
    _say(f"{len(violations)} violations")
    return int(bool(violations))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos",
        description="Kill, pause and stop workers, kill brokers and break the model while events "
        "come in; then see that none was lost, doubled, reordered or routed to two places. Exit "
        "code 1: one was.",
        epilog="example: python -m tests.chaos --seed 7 --kills 20 --restarts 4 "
        "--delivery exactly-once",
    )
    parser.add_argument(
        "--seed", type=int, default=random.randrange(1_000_000),  # noqa: S311 - not secret
        help="what is done, to whom and when is a function of it (default: any)",
    )  # fmt: skip
    parser.add_argument("--kills", type=int, default=100, help="of workers (default 100)")
    parser.add_argument("--restarts", type=int, default=20, help="of brokers (default 20)")
    parser.add_argument(
        "--nodes", type=int, choices=(1, 3),
        help=f"brokers (default: three, then one with 1/{_PART} of the kills and restarts)",
    )  # fmt: skip
    parser.add_argument(
        "--delivery", choices=get_args(Delivery), help="default: both, one after the other"
    )
    parser.add_argument("--rate", type=float, default=100.0, help="events a second (default 100)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    parser.add_argument(
        "--check", type=Path, metavar="FILE", help="check a kept history, and no more"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
