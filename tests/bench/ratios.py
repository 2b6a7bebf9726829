"""The figures that are kept: each in relation to a baseline of the same round, and what of it is
promised."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from tests.bench.cases import ONNX, ROUTER, Case, Load, middle
from tests.bench.drain import Run
from tests.bench.figures import Latency, Ratio, ratio_of
from tests.bench.waits import QUIET, Wait

Cells = Mapping[tuple[Case, str], Sequence[Run]]
Waits = Mapping[Wait, Sequence[Latency]]

LEAST: Mapping[tuple[str, str, str], float] = {
    ("copy", "at-least-once", "aiokafka"): 0.95,
    ("copy", "at-least-once", "faust"): 30.0,
    ("copy", "exactly-once", "aiokafka"): 0.8,
    ("null", "at-least-once", "faust"): 10.0,
    ("null", "at-least-once", "quix"): 1.0,
    ("null", "exactly-once", "quix"): 1.0,
    ("null", "at-least-once", "faststream"): 1.0,
    ("live", "at-least-once", ONNX): 0.95,
}
"""The router's rate beside a baseline's, by load, delivery and program."""

LEAST_OF_COPY = 0.15
MOST_CPU_OF_TWO = 1.15
MOST_HALF = {"p50": 2.0, "p99": 4.0}
"""At half load, of a single message's inference and the transport's own latency together, both at
their medians."""
MOST_QUIET = 1.5


def throughput(cells: Cells) -> list[Ratio]:
    """Of the runs that worked through what waits."""
    found = [*_beside_baselines(cells), _null_of_copy(cells)]
    found += [_two_workers(cells, load) for load in ("copy", "null", "live")]
    found += [_exactly_once(cells, load) for load in ("copy", "null", "live")]
    return [ratio for ratio in found if ratio]


def latency(waits: Waits, cells: Cells) -> list[Ratio]:
    """Of the open loops."""
    found = [*_half_load(waits, cells), _quiet(waits)]
    return [ratio for ratio in found if ratio]


def _beside_baselines(cells: Cells) -> Iterator[Ratio | None]:
    for (case, program), runs in cells.items():
        # A worker that is behind on both topics takes as many emails as chats: not the mix's work.
        if program == ROUTER or (program == ONNX and case.text == "mix"):
            continue
        bound = LEAST.get((case.load, case.delivery, program))
        ours = _rates(cells.get((case, ROUTER), ()))
        yield ratio_of(f"{case.name}: router / {program}", ours, _rates(runs), bound=bound)


def _null_of_copy(cells: Cells) -> Ratio | None:
    null, copy = (_rates(cells.get((middle(load), ROUTER), ())) for load in ("null", "copy"))
    return ratio_of("router: null / copy", null, copy, bound=LEAST_OF_COPY)


def _two_workers(cells: Cells, load: Load) -> Ratio | None:
    one, two = (
        [run.cpu for run in cells.get((replace(middle(load), workers=workers), ROUTER), ())]
        for workers in (1, 2)
    )
    name = f"{load}: processor time a message, two workers / one"
    return ratio_of(name, two, one, "lower", MOST_CPU_OF_TWO)


def _exactly_once(cells: Cells, load: Load) -> Ratio | None:
    once = replace(middle(load), delivery="exactly-once")
    exact, least = (_rates(cells.get((case, ROUTER), ())) for case in (once, middle(load)))
    return ratio_of(f"{load}: router exactly once / at least once", exact, least)


def _half_load(waits: Waits, cells: Cells) -> Iterator[Ratio | None]:
    live = _at(waits, "live", 0.5)
    copy = _at(waits, "copy", 0.5)
    singles = sorted(run.single for run in cells.get((middle("live"), ONNX), ()))
    if not singles:
        return
    single = singles[len(singles) // 2]
    alone = [single + one.p50 for one in copy]
    for name, bound in MOST_HALF.items():
        ours = [getattr(one, name) for one in live]
        words = f"live at half load: {name} / single inference and copy"
        yield ratio_of(words, ours, alone, "lower", bound)


def _quiet(waits: Waits) -> Ratio | None:
    ours, theirs = (
        [one.p50 for one in waits.get(Wait(program, "copy", QUIET), ())]
        for program in (ROUTER, "faust")
    )
    return ratio_of("copy at 20 a second: p50 / faust", ours, theirs, "lower", MOST_QUIET)


def _at(waits: Waits, load: Load, share: float) -> Sequence[Latency]:
    for wait, found in waits.items():
        if (wait.program, wait.load, wait.share) == (ROUTER, load, share):
            return found
    return ()


def _rates(runs: Sequence[Run]) -> list[float]:
    return [run.rate for run in runs]
