"""``python -m tests.fuzz``: many generated records through the pure core, on several processes.

Exit code 0: every record had exactly one outcome, and none was unexpected. A run is repeated by its
seed; one record of it by ``--seed S --first N --records 1``, with ``--show`` to see its bytes.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import time
from collections.abc import Sequence
from multiprocessing import TimeoutError as Hung

from tests.fuzz.processes import CHUNK, chunks
from tests.fuzz.records import record
from tests.fuzz.tally import Tally


def main(given: Sequence[str] | None = None) -> int:
    arguments = _arguments(given)
    seed, first = arguments.seed, arguments.first
    numbers = range(first, first + arguments.records)
    if arguments.show:
        for number in numbers:
            sys.stdout.write(f"{record(seed, number)}\n")
    _say(f"seed {seed}, {len(numbers):,} records, {arguments.processes} processes")
    began = time.monotonic()
    tally = Tally()
    try:
        for done in chunks(seed, numbers, arguments.processes):
            tally.add(done)
            _progress(tally.records, len(numbers), time.monotonic() - began)
    except KeyboardInterrupt:
        _say("\nStopped; until then:")
    except Hung:
        _say(f"A process hangs or broke off: see above. Seed {seed}, {tally.records:,} were done.")
        return 1
    elapsed = time.monotonic() - began
    rate = tally.records / elapsed
    _say("\n" + "\n".join(tally.lines()))
    _say(f"seed {seed}: {tally.records:,} records in {elapsed:.0f} s, {rate:,.0f} a second")
    return 0 if tally.good and tally.records == len(numbers) else 1


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--first", type=int, default=0, help="the number of the first record")
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--show", action="store_true", help="print the records too")
    return parser.parse_args(given)


def _progress(done: int, of: int, seconds: float) -> None:
    end = "\r" if sys.stderr.isatty() else "\n"
    if sys.stderr.isatty() or done == of or done % (20 * CHUNK) == 0:
        left = (of - done) * seconds / done
        sys.stderr.write(
            f"{done:,} of {of:,}, {done / seconds:,.0f} a second, {left:.0f} s left {end}"
        )
        sys.stderr.flush()


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
