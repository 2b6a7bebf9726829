"""The work spread over processes, a chunk at a time."""

from __future__ import annotations

import faulthandler
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from multiprocessing import get_context

from tests.fuzz.oracle import Oracle
from tests.fuzz.tally import Tally, fuzz

CHUNK = 2_000
HANGS_AFTER = 300.0
"""Seconds for a chunk, which takes two; its process then says where it is, and ends."""


def chunks(seed: int, numbers: range, processes: int) -> Iterator[Tally]:
    """Each chunk's tally, as they come.

    Raises:
        BrokenProcessPool: a process hung, and said where, or broke off.
    """
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        waiting = [
            pool.submit(_chunk, seed, numbers[start : start + CHUNK])
            for start in range(0, len(numbers), CHUNK)
        ]
        for future in as_completed(waiting):
            yield future.result()


def _chunk(seed: int, numbers: range) -> Tally:
    faulthandler.dump_traceback_later(HANGS_AFTER, exit=True)
    try:
        return fuzz(_oracle(), seed, numbers)
    finally:
        faulthandler.cancel_dump_traceback_later()


@cache
def _oracle() -> Oracle:
    return Oracle()
