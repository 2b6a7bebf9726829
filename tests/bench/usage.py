"""The processor time and the memory of programs under measurement, and the cores they may use."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from tests.bench.figures import Sample


class Usage:
    """Of several processes together."""

    def __init__(self, pids: Iterable[int]) -> None:
        import psutil  # late: of the extra `bench`, and what is pure is tested without

        self._gone = psutil.NoSuchProcess
        self._processes = [psutil.Process(pid) for pid in pids]
        self.samples: list[Sample] = []

    def look(self) -> None:
        """Add a sample, unless one of them has ended."""
        with suppress(self._gone):
            cpu, rss = 0.0, 0
            for process in self._processes:
                with process.oneshot():
                    times = process.cpu_times()
                    cpu += times.user + times.system
                    rss += process.memory_info().rss
            self.samples.append(Sample(time.time(), cpu, rss))


def pin(pid: int, cores: Sequence[int]) -> None:
    """Let every thread of ``pid`` run on ``cores`` alone; those to come take after them."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(ProcessLookupError):  # it has ended meanwhile
            os.sched_setaffinity(int(task.name), cores)
