"""A count on standard error, on a terminal, for those who wait."""

from __future__ import annotations

import sys
import threading
from typing import Self

import click

from router.ops.clock import SystemClock

_PATIENCE = 2.0  # seconds without a word
_PACE = 0.25


class Progress:
    """``what`` is being done, as a participle."""

    def __init__(self, what: str, *, shown: bool = True) -> None:
        self._what = what
        self._allowed = shown and sys.stderr.isatty()
        self._clock = SystemClock()
        self._start = self._clock.monotonic()
        self._done = 0
        self._shown = False

    def add(self, records: int) -> None:
        self.count(records)
        self.show()

    def count(self, records: int) -> None:
        self._done += records

    def show(self) -> None:
        elapsed = self._clock.monotonic() - self._start
        if elapsed > _PATIENCE and self._allowed:
            words = f"{self._what}, {elapsed:.0f} s"
            if self._done:
                words = f"{self._done:,} {self._what}, {self._done / elapsed:,.0f} a second"
            click.echo(f"\r{words} \x1b[K", nl=False, err=True)
            self._shown = True

    def clear(self) -> None:
        """Make room for what follows."""
        if self._shown:
            click.echo("\r\x1b[K", nl=False, err=True)
            self._shown = False


class Steps:
    """One thing after another, on a line that is written anew by itself: a broker that does not
    answer is seen to be waited for. Clears it at the end of the block."""

    def __init__(self, first: str) -> None:
        self._what = first
        self._progress = Progress(first)
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._progress.clear()

    def __call__(self, what: str, records: int) -> None:
        """``records`` more of ``what`` are done."""
        with self._lock:
            if what != self._what:
                self._progress.clear()
                self._what, self._progress = what, Progress(what)
            self._progress.count(records)

    def clear(self) -> None:
        """Make room for a line of somebody else's."""
        with self._lock:
            self._progress.clear()

    def _run(self) -> None:
        while not self._ended.wait(_PACE):
            with self._lock:
                self._progress.show()
