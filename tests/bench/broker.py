"""The broker that is measured against: in memory where that can be, and warm."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.warming import warm
from tests.integration.traffic import Traffic
from tests.kafka import Cluster

_IN_MEMORY = "/dev/shm"  # noqa: S108 - the folder in it is private


@contextmanager
def folder_in_memory() -> Iterator[Path]:
    """A folder of one's own, in memory where there is such a file system: else the 99th percentile
    is the disk's, which writes back what the run before left."""
    in_memory = _IN_MEMORY if Path(_IN_MEMORY).is_dir() else None
    with tempfile.TemporaryDirectory(dir=in_memory) as folder:
        yield Path(folder)


@contextmanager
def warm_broker(folder: Path, seconds: float, *, quick: bool) -> Iterator[tuple[Cluster, float]]:
    """A node that has worked for ``seconds``, and the transactions a second that it came to."""
    with Cluster(folder, quick=quick) as cluster:
        yield cluster, warm(new_traffic(cluster), seconds)


def new_traffic(cluster: Cluster) -> Traffic:
    """A router's topics of their own."""
    traffic = Traffic(cluster.bootstrap, f"b{uuid.uuid4().hex[:8]}.")
    traffic.create_topics()
    return traffic
