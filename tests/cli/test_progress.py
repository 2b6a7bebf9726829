"""What is shown to those who wait: on a terminal, after two seconds, and gone at the end."""

from __future__ import annotations

import io
import time

import pytest

from router.cli import progress
from router.cli.progress import Progress, Steps


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def wait_for(words: str, terminal: io.StringIO) -> None:
    deadline = time.monotonic() + 20
    while words not in terminal.getvalue():
        assert time.monotonic() < deadline, terminal.getvalue()
        time.sleep(0.01)


def test_each_step_is_shown_by_itself_and_none_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a call for each: a broker that gives nothing is seen to be waited for."""
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr(progress, "_PATIENCE", 0.0)
    with Steps("asking the broker") as steps:
        wait_for("asking the broker, 0 s", terminal)
        steps("looked at", 1_200)
        steps("looked at", 34)
        wait_for("1,234 looked at, ", terminal)
    assert terminal.getvalue().endswith("\r\x1b[K")


@pytest.mark.parametrize(("stream", "patience"), [(io.StringIO(), 0.0), (Terminal(), 60.0)])
def test_nothing_is_shown_where_nobody_looks_or_before_it_is_long(
    stream: io.StringIO, patience: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setattr(progress, "_PATIENCE", patience)
    Progress("looked at").add(5)
    assert not stream.getvalue()
