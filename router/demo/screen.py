"""What a person sees while the demo runs: a live picture, or lines where there is no terminal."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from router.core.topics import DEAD_LETTER, IGNORED, REVIEW
from router.demo.ledger import KINDS, Ledger
from router.demo.summary import WORDS, milliseconds

_BAR = 16
_SIDE_BY_SIDE = 130
_BESIDE = 106
"""What a line holds besides the newest message's words when both tables stand side by side."""
_WORDS = 60
_LINE_EVERY = 2.0
_FRAME = 3
"""Lines of the picture that are no queue and no message: heading, columns, latencies."""


class Screen(Protocol):
    """Shows a run. Used as a context manager; `say` before and after, `refresh` while."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def say(self, words: str) -> None:
        """One step of the run."""

    def refresh(self, ledger: Ledger, planned: int) -> None:
        """``planned`` is how many records there will be in all."""


class SilentScreen:
    """For ``--json``: the result alone is printed."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def say(self, words: str) -> None:
        """Nothing."""

    def refresh(self, ledger: Ledger, planned: int) -> None:
        """Nothing."""


class PlainScreen(SilentScreen):
    """A line for each step, and one every two seconds."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._begun = time.monotonic()
        self._next = 0.0

    def say(self, words: str) -> None:
        self._console.print(f"{self._elapsed():5.1f} s  {words}", highlight=False, soft_wrap=True)

    def refresh(self, ledger: Ledger, planned: int) -> None:
        if self._elapsed() < self._next:
            return
        self._next = self._elapsed() + _LINE_EVERY
        self.say(progress(ledger, planned))

    def _elapsed(self) -> float:
        return time.monotonic() - self._begun


class LiveScreen(SilentScreen):
    """One picture, drawn over and over: queues on the left or on top, newest messages beside."""

    def __init__(self, console: Console, queues: Sequence[str]) -> None:
        self._console = console
        self._rows = (*queues, REVIEW, DEAD_LETTER, IGNORED)
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._shown = False

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def say(self, words: str) -> None:
        self._console.print(Text(words, "dim"))

    def refresh(self, ledger: Ledger, planned: int) -> None:
        self._live.update(self._picture(ledger, planned), refresh=True)

    def _picture(self, ledger: Ledger, planned: int) -> RenderableType:
        width, height = self._console.size
        queues = self._queues(ledger)
        heading = Text(progress(ledger, planned), "bold", no_wrap=True, overflow="ellipsis")
        if width >= _SIDE_BY_SIDE:
            grid = Table.grid(padding=(0, 3))
            grid.add_row(queues, _newest(ledger, len(self._rows) + 1, width - _BESIDE))
            return Group(heading, grid)
        room = height - len(self._rows) - _FRAME - 2
        if room <= 1:
            return Group(heading, queues)
        return Group(heading, queues, _newest(ledger, room, width - 42))

    def _queues(self, ledger: Ledger) -> Table:
        counts = dict.fromkeys(self._rows, 0)
        for (queue, _), count in ledger.reasons.items():
            counts[queue] = counts.get(queue, 0) + count
        most = max(counts.values()) or 1
        table = Table(box=None, pad_edge=False, header_style="dim")
        table.add_column("queue", min_width=20)
        table.add_column("records", justify="right")
        table.add_column("", min_width=_BAR)
        table.add_column("confidence", justify="right")
        for queue, count in counts.items():
            mean = ledger.mean_confidence(queue)
            shown = "" if mean is None else f"{mean:.2f}"
            bar = "█" * round(_BAR * count / most)
            style = _style(queue)
            table.add_row(Text(queue, style), str(count), Text(bar, style), shown)
        return table


def progress(ledger: Ledger, planned: int) -> str:
    """The run in one line."""
    counts = ledger.kinds()
    parts = [f"emitted {ledger.emitted}/{planned}", f"decided {ledger.decided}"]
    parts += [f"{WORDS[kind]} {counts[kind]}" for kind in KINDS]
    if latency := ledger.latency():
        parts.append(milliseconds(latency))
    return "  ".join(parts)


def _newest(ledger: Ledger, rows: int, width: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("message", no_wrap=True, width=max(12, min(_WORDS, width)))
    table.add_column("went to", no_wrap=True)
    table.add_column("", justify="right", no_wrap=True)
    for sent, seen in list(ledger.latest)[-max(rows - 1, 0) :]:
        shown = "" if seen.confidence is None else f"{seen.confidence:.2f}"
        if seen.reason != "intent":
            shown = seen.reason.replace("_", " ")
        queue = Text(seen.queue, _style(seen.queue))
        table.add_row(Text(_printable(sent.words), overflow="ellipsis"), queue, shown)
    return table


def _style(queue: str) -> str:
    return {REVIEW: "yellow", DEAD_LETTER: "red", IGNORED: "dim"}.get(queue, "green")


def _printable(words: str) -> str:
    return "".join(c if c.isprintable() else "·" for c in words)
