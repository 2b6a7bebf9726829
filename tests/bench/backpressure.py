"""``python -m tests.bench.backpressure``: a worker's memory while few and while many records wait.

A worker is given 2,000 waiting events, and another 200,000; each is watched for the same time while
it works. ``--line model`` (the default) is the real line with the live model, ``--line echo`` a
line that does next to nothing. Exit code 1: the memory is not flat, or the reading stalled.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from tests.bench.loading import fill
from tests.bench.processes import Running, start
from tests.integration.traffic import Traffic
from tests.kafka import Cluster

FEW, MANY = 2_000, 200_000
MOST_GROWTH = 0.30
LONGEST_PAUSE = 5.0
"""Seconds between two slices while records wait; Faust's own full buffer costs one each time."""


@dataclass(frozen=True, slots=True)
class Seen:
    """``rss`` is the largest resident memory in bytes; ``left`` how many still waited then."""

    waiting: int
    decided: int
    rss: int
    pause: float

    @property
    def left(self) -> int:
        return self.waiting - self.decided


def main() -> int:
    arguments = _arguments()
    with (
        tempfile.TemporaryDirectory() as folder,
        Cluster(Path(folder, "kafka"), quick=False) as cluster,
    ):
        seen = [
            _watch(cluster, count, arguments.line, arguments.seconds, Path(folder))
            for count in (arguments.few, arguments.many)
        ]
    return _report(seen, arguments.line)


def _watch(cluster: Cluster, count: int, line: str, seconds: float, folder: Path) -> Seen:
    traffic = Traffic(cluster.bootstrap, f"b{uuid.uuid4().hex[:8]}.")
    traffic.create_topics()
    fill(traffic, count)
    with start(line, traffic.environ, folder, slice_seconds=0.1) as worker:
        worker.wait_first_slice()
        rss = _largest_rss(worker, seconds)
        slices = worker.slices()
    decided = sum(records for _, records in slices)
    return Seen(count, decided, rss, _longest_pause([at for at, _ in slices]))


def _largest_rss(worker: Running, seconds: float) -> int:
    until = time.monotonic() + seconds
    largest = 0
    while time.monotonic() < until:
        largest = max(largest, worker.rss())
        time.sleep(0.1)
    return largest


def _longest_pause(times: Sequence[datetime]) -> float:
    return max(((b - a).total_seconds() for a, b in pairwise(times)), default=0.0)


def _report(seen: Sequence[Seen], line: str) -> int:
    out = sys.stdout.write
    out(f"line: {line}\n")
    out(f"{'waiting':>9} {'decided':>9} {'RSS, MB':>9} {'longest pause, s':>17}\n")
    for one in seen:
        out(f"{one.waiting:>9,} {one.decided:>9,} {one.rss / 1e6:>9.1f} {one.pause:>17.2f}\n")
    few, many = seen
    growth = many.rss / few.rss - 1
    out(f"growth: {growth:+.1%} (at most {MOST_GROWTH:.0%}); {many.left:,} still waited\n")
    good = growth <= MOST_GROWTH and many.left > 0 and many.pause <= LONGEST_PAUSE
    return 0 if good else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else "")
    parser.add_argument("--line", choices=("model", "echo"), default="model")
    parser.add_argument("--few", type=int, default=FEW)
    parser.add_argument("--many", type=int, default=MANY)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each is watched")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
