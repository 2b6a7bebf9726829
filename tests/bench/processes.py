"""Workers under measurement, with the real line or one that does next to nothing, and a bare loop
of the client's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.kafka import leash

_COMMANDS = {
    "model": ("-m", "router.cli.main", "worker"),
    "echo": ("-m", "tests.stream.run_echo"),
    "bare": ("-m", "tests.bench.bare"),
}
_STARTED_WITHIN = 120.0


class Running:
    """One worker process; killed at the end of the block."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process = process
        self._log = log

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def code(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._process.poll()

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def wait(self, within: float) -> None:
        """Until it has left.

        Raises:
            subprocess.TimeoutExpired: it still runs.
        """
        self._process.wait(within)

    def rss(self) -> int:
        """Resident memory now, in bytes."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        (line,) = [line for line in status.splitlines() if line.startswith("VmRSS")]
        return int(line.split()[1]) * 1024

    def slices(self) -> list[tuple[datetime, int]]:
        """When each slice was published, and its records."""
        return [
            (datetime.fromisoformat(line["time"]), line["records"])
            for line in self._lines()
            if line["event"] == "routed"
        ]

    def wait_event(self, event: str) -> None:
        """Until the log has it.

        Raises:
            AssertionError: the worker left, or took too long; with its log.
        """
        until = time.monotonic() + _STARTED_WITHIN
        while not any(line["event"] == event for line in self._lines()):
            if self._process.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"no {event!r}:\n{self.log()[-3000:]}")
            time.sleep(0.05)

    def wait_first_slice(self) -> None:
        self.wait_event("routed")

    def wait_decided(self, count: int, within: float) -> None:
        """Until ``count`` records are published."""
        until = time.monotonic() + within
        while sum(records for _, records in self.slices()) < count:
            if self._process.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"not {count} decided:\n{self.log()[-3000:]}")
            time.sleep(0.2)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()

    def _lines(self) -> list[dict[str, Any]]:
        return [
            json.loads(line)
            for line in self.log().splitlines()
            if line.startswith("{") and line.endswith("}")
        ]


def start(
    line: str, environ: Mapping[str, str], folder: Path, *, slice_seconds: float = 0.0
) -> Running:
    """A worker with ``line``; an echo takes ``slice_seconds`` for each slice."""
    return launch(_COMMANDS[line], dict(environ) | {"ECHO_SECONDS": str(slice_seconds)}, folder)


def launch(arguments: Sequence[str], environ: Mapping[str, str], folder: Path) -> Running:
    """This Python with ``arguments``, and of ``ROUTER_*`` variables those of ``environ`` alone."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("ROUTER_")}
    own |= {"ROUTER_METRICS_PORT": "0", "ROUTER_LOG_FORMAT": "json", **environ}
    log = folder / f"worker-{time.monotonic_ns()}.log"
    with log.open("wb") as output:
        process = leash.spawn((sys.executable, *arguments), output=output, environ=own)
    return Running(process, log)
