"""A count on standard error, on a terminal, for those who wait."""

from __future__ import annotations

import sys

import click

from router.ops.clock import SystemClock

_PATIENCE = 2.0  # seconds without a word


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
        self._done += records
        elapsed = self._clock.monotonic() - self._start
        if elapsed > _PATIENCE and self._allowed:
            rate = self._done / elapsed
            words = f"\r{self._done:,} {self._what}, {rate:,.0f} a second "
            click.echo(words, nl=False, err=True)
            self._shown = True

    def clear(self) -> None:
        """Make room for what follows."""
        if self._shown:
            click.echo("\r\x1b[K", nl=False, err=True)
            self._shown = False
