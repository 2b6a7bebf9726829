"""``python -m tests.bench.suite``: how fast, beside what, on this machine.

Every case is measured once a round, its programs one after the other, so that the machine's own
swings meet a figure and its baseline alike; the ratios are of one round each. Then latency, as an
open loop at shares of the capacity that was just measured. Prints a table, writes a document.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Iterable, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import orjson
from aiokafka.errors import KafkaError

from tests.bench import ratios, report
from tests.bench.broker import folder_in_memory, warm_broker
from tests.bench.cases import ROUTER, Case, Load, Program, grid, middle, one_at_a_time, programs_of
from tests.bench.drain import Run, UnableError, drain
from tests.bench.figures import Latency
from tests.bench.machine import facts
from tests.bench.stand import Stand
from tests.bench.stolen import undisturbed
from tests.bench.waits import Wait, measure, plan

WAITING: dict[Load, int] = {"copy": 500_000, "null": 100_000, "live": 20_000}
"""Messages, by load: more than the fastest program does in its seconds, at most a few times."""

_LONGER = 2.0
"""Times as long where a model is asked or transactions are made: a few seconds hold only a few
slices, or of a program that commits once a second only a few transactions."""


class Suite:
    """The figures so far; ``left_out`` says what is missing, and why."""

    def __init__(self, stand: Stand, arguments: argparse.Namespace) -> None:
        self._stand = stand
        self._arguments = arguments
        self.cells: dict[tuple[Case, str], list[Run]] = {}
        self.waits: dict[Wait, list[Latency]] = {}
        self.left_out: list[str] = []

    def run(self) -> None:
        """All that was asked for."""
        arguments = self._arguments
        chosen = grid() if arguments.full else one_at_a_time()
        cases = [case for case in chosen if all(word in case.name for word in arguments.only)]
        for turn in range(arguments.rounds):
            for case in cases:
                self._case(case, turn)
        live = [run.rate for run in self.cells.get((middle("live"), ROUTER), ())]
        if live and arguments.latency_rounds:
            self._latency(statistics.median(live))

    def _case(self, case: Case, turn: int) -> None:
        programs = self._able(programs_of(case, full=self._arguments.full))
        for program in programs if turn % 2 == 0 else reversed(programs):
            runs = self.cells.setdefault((case, program.name), [])
            if len(runs) < turn:
                continue  # it failed in an earlier round
            longer = case.load == "live" or case.delivery == "exactly-once"
            seconds = self._arguments.seconds * (_LONGER if longer else 1.0)
            once = partial(drain, self._stand, case, program, seconds)
            try:
                found = undisturbed(once)
            except (UnableError, KafkaError, TimeoutError) as error:
                _say(str(error))
                self._leave_out(f"{case.name}: {program.name} could not: {type(error).__name__}")
                continue
            runs.append(found)
            _say(f"{turn + 1}  {case.name}  {program.name}: {found.rate:,.0f}/s")

    def _able(self, programs: Iterable[Program]) -> list[Program]:
        able = []
        for program in programs:
            if program.needs and find_spec(program.needs) is None:
                self._leave_out(f"{program.name}: {program.needs} is not installed (extra `bench`)")
            elif not self._arguments.programs or program.name in self._arguments.programs:
                able.append(program)
        return able

    def _latency(self, capacity: float) -> None:
        waits = plan(capacity)
        for turn in range(self._arguments.latency_rounds):
            for wait in waits if turn % 2 == 0 else reversed(waits):
                once = partial(measure, self._stand, wait, self._arguments.latency_seconds)
                try:
                    found = undisturbed(once)
                except (KafkaError, TimeoutError) as error:
                    kind = type(error).__name__
                    self._leave_out(
                        f"latency of {wait.program} {wait.load} at {wait.rate:.0f}/s: {kind}"
                    )
                    continue
                self.waits.setdefault(wait, []).append(found)
                _say(f"{turn + 1}  {wait.program} {wait.load} at {wait.rate:.0f}/s")

    def _leave_out(self, words: str) -> None:
        if words not in self.left_out:
            self.left_out.append(words)
            _say(words)


def main() -> int:
    arguments = _arguments()
    with (
        folder_in_memory() as folder,
        warm_broker(folder / "kafka", arguments.warm, quick=False) as (cluster, pace),
    ):
        _say(f"warmed: {pace:.0f} transactions/s at the end")
        waiting = {load: int(count * arguments.size) for load, count in WAITING.items()}
        suite = Suite(Stand(cluster, folder, waiting, arguments.model), arguments)
        suite.run()
    found = [*ratios.throughput(suite.cells), *ratios.latency(suite.waits, suite.cells)]
    settings = {name: value for name, value in vars(arguments).items() if name != "out"}
    written = report.document(
        facts(),
        settings,
        cells=suite.cells,
        waits=suite.waits,
        ratios=found,
        left_out=suite.left_out,
    )
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_bytes(orjson.dumps(written, option=orjson.OPT_INDENT_2) + b"\n")
    _say("\n" + report.lines(suite.cells, suite.waits, found, suite.left_out))
    _say(f"written: {arguments.out}")
    return 0


def _say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def _arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else "")
    parser.add_argument("--full", action="store_true", help="every combination (hours)")
    parser.add_argument("--only", nargs="*", default=[], help="cases whose name has all of these")
    parser.add_argument("--programs", nargs="*", default=[], help="only these (default: all)")
    parser.add_argument("--model", default="", help="a bundle in place of the live one: a cascade")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each run")
    parser.add_argument("--latency-rounds", type=int, default=1)
    parser.add_argument("--latency-seconds", type=float, default=10.0)
    parser.add_argument("--warm", type=float, default=30.0, help="seconds before anything counts")
    parser.add_argument("--size", type=float, default=1.0, help="of what waits, a share of usual")
    parser.add_argument("--out", type=Path, default=Path("build/bench.json"))
    return parser.parse_args(given)


if __name__ == "__main__":
    sys.exit(main())
