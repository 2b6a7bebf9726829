"""A real worker: `router worker` in a process of its own, set up by variables alone."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from router.demo import child
from router.errors import RouterError
from router.settings import PREFIX, Settings

_READY_WITHIN = 90.0
_LEAVE_MARGIN = 10.0
_KILL_AFTER = 3.0
_POLL = 0.05
_LOG_LINES = 20


class Worker:
    """Runs from `start` to `stop`, at most as long as the ``with`` block."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        """``settings`` must log JSON; the log is kept in ``folder``."""
        self._settings = settings
        self._log = folder / "worker.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._read = 0
        self._port = 0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            child.stop(self._process, within=_KILL_AFTER)

    def start(self) -> None:
        self._process = child.start(
            [sys.executable, "-m", "router.cli.main", "worker"],
            log=self._log,
            cwd=Path.cwd(),  # the policy and the model may be named by a relative path
            environ=_environment(self._settings),
        )

    async def ready(self) -> None:
        """Wait until it says that it can decide.

        Raises:
            RouterError: it ended, or does not become ready; with the end of its log.
        """
        deadline = time.monotonic() + _READY_WITHIN
        while time.monotonic() < deadline:
            for line in self._new_lines():
                self._port = line.get("metrics_port", self._port)
                if line.get("event") == "ready":
                    return
            self.check()
            await asyncio.sleep(_POLL)
        self._fail(f"The worker was not ready within {_READY_WITHIN:g} s.")

    async def consumed(self) -> int:
        """How many records it says it has taken: the sum of ``router_consumed_total``.

        Raises:
            RouterError: its metrics cannot be read.
        """
        return await asyncio.to_thread(self._consumed)

    async def stop(self) -> int:
        """Ask it to drain and leave; its exit status (negative: the signal that ended it)."""
        if self._process is None:
            return 0
        within = self._settings.drain_timeout + _LEAVE_MARGIN
        return await asyncio.to_thread(child.stop, self._process, within=within)

    def check(self) -> None:
        """Raises RouterError if it has ended by itself, with the end of its log."""
        status = self._process.poll() if self._process else None
        if status is not None:
            self._fail(f"The worker ended by itself with exit status {status}.")

    def log(self) -> str:
        """The last lines of its log."""
        return child.tail(self._log, _LOG_LINES)

    def _fail(self, problem: str) -> NoReturn:
        raise RouterError(f"{problem} The end of its log:\n{self.log()}")

    def _new_lines(self) -> list[dict[str, Any]]:
        with self._log.open("rb") as log:
            log.seek(self._read)
            text = log.read()
        complete = text[: text.rfind(b"\n") + 1]
        self._read += len(complete)
        return [line for line in map(_parsed, complete.splitlines()) if line is not None]

    def _consumed(self) -> int:
        url = f"http://{self._settings.metrics_host}:{self._port}/metrics"
        try:
            with urlopen(url, timeout=5) as answer:
                text = answer.read().decode()
        except OSError as error:
            raise RouterError(f"The worker's metrics at {url} cannot be read: {error}.") from None
        return int(
            sum(
                sample.value
                for family in text_string_to_metric_families(text)
                for sample in family.samples
                if sample.name == "router_consumed_total"
            )
        )


def _environment(settings: Settings) -> dict[str, str]:
    """The surroundings' variables, but of ours exactly ``settings``."""
    foreign = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    ours = {PREFIX + f.name.upper(): str(getattr(settings, f.name)) for f in fields(settings)}
    return foreign | ours


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        given = json.loads(line)
    except ValueError:
        return None
    return given if isinstance(given, dict) else None
