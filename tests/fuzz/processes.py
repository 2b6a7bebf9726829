"""The work spread over processes, a chunk at a time."""

from __future__ import annotations

import faulthandler
import signal
from collections.abc import Iterator
from functools import cache, partial
from multiprocessing import get_context

from tests.fuzz.oracle import Oracle
from tests.fuzz.tally import Tally, fuzz

CHUNK = 1_000
HANGS_AFTER = 300.0
"""Seconds for a chunk, which takes one; its process then says where it is."""


def chunks(seed: int, numbers: range, processes: int) -> Iterator[Tally]:
    """Each chunk's tally, as they come.

    Raises:
        multiprocessing.TimeoutError: a process hangs, and has said where, or broke off.
    """
    parts = [numbers[start : start + CHUNK] for start in range(0, len(numbers), CHUNK)]
    with get_context("spawn").Pool(processes, _leave_interrupts) as pool:
        tallies = pool.imap_unordered(partial(_chunk, seed), parts)
        for _ in parts:
            yield tallies.next(2 * HANGS_AFTER)


def _leave_interrupts() -> None:
    """Ctrl-C reaches every process: the first one sees to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _chunk(seed: int, numbers: range) -> Tally:
    faulthandler.dump_traceback_later(HANGS_AFTER)
    try:
        return fuzz(_oracle(), seed, numbers)
    finally:
        faulthandler.cancel_dump_traceback_later()


@cache
def _oracle() -> Oracle:
    return Oracle()
