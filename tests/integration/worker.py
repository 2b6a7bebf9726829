"""A real worker process, as an operator starts it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from prometheus_client.parser import text_string_to_metric_families

from tests.kafka import leash

READY_WITHIN = 120.0
LEFT_WITHIN = 90.0

Counts = Mapping[tuple[str, tuple[tuple[str, str], ...]], float]
"""A series' value by its name and its labels in order of name."""


class Worker:
    """``router worker`` with ``environ``; its log is kept in ``folder``. A context manager that
    leaves no process behind."""

    def __init__(self, environ: Mapping[str, str], folder: Path) -> None:
        self.port = leash.free_ports(1)[0]
        self.log_file = folder / f"worker-{self.port}.log"
        own = {name: value for name, value in os.environ.items() if not name.startswith("ROUTER_")}
        own |= {
            "ROUTER_METRICS_PORT": str(self.port),
            "ROUTER_LOG_FORMAT": "json",
            # Short: a killed worker's partitions are soon another's.
            "ROUTER_SESSION_TIMEOUT": "20",
        }
        command = [sys.executable, "-m", "router.cli.main", "worker"]
        with self.log_file.open("wb") as log:
            self.process = leash.spawn(command, output=log, environ=own | dict(environ))

    def wait_ready(self) -> Self:
        """Wait until ``/readyz`` says yes; fail with the log's end when it leaves or takes long."""
        self.wait_until(self._is_ready, "ready", READY_WITHIN)
        return self

    def wait_until(self, true: Callable[[], bool], what: str, within: float) -> None:
        deadline = time.monotonic() + within
        while not true():
            if self.process.poll() is not None:
                raise AssertionError(f"left with {self.process.returncode}:\n{self.log()}")
            if time.monotonic() > deadline:
                raise AssertionError(f"not {what} after {within:g} s:\n{self.log()}")
            time.sleep(0.1)

    def counts(self) -> Counts:
        """What ``/metrics`` says now."""
        families = text_string_to_metric_families(self._get("/metrics"))
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in families
            for sample in family.samples
        }

    def assert_alive(self) -> None:
        assert self.process.poll() is None, f"left with {self.process.returncode}:\n{self.log()}"

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def terminate(self) -> int:
        """SIGTERM, and the exit code."""
        self.process.terminate()
        return self.left()

    def left(self, within: float = LEFT_WITHIN) -> int:
        """Its exit code; fails when it does not leave."""
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still there after {within:g} s:\n{self.log()}") from None

    def log(self, lines: int = 40) -> str:
        return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-lines:])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.kill()
        if error is not None:
            error.add_note(f"-- {self.log_file.name}\n{self.log()}")

    def _is_ready(self) -> bool:
        try:
            self._get("/readyz")
        except OSError:
            return False
        return True

    def _get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
            body: bytes = answer.read()
        return body.decode()


def total(counts: Counts, name: str, /, **labels: str) -> float:
    """The sum of ``name``'s series that carry ``labels``."""
    wanted = labels.items()
    return sum(
        value for (n, at), value in counts.items() if n == name and wanted <= dict(at).items()
    )
