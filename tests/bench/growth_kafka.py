"""What queues and a backlog cost through Kafka: the real line but for the model, on real topics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar, get_args

from aiokafka.errors import KafkaError

from tests.bench.cases import ROUTER, Program, middle
from tests.bench.drain import Run, UnableError, drain
from tests.bench.figures import Ratio, ratio_of
from tests.bench.grown_policy import grown_policy, queue_name
from tests.bench.spreading import Spread
from tests.bench.stand import Stand
from tests.bench.stolen import undisturbed
from tests.kafka import Cluster

MOST_BACKLOG = 1.1
RULES = 20
_UNTIL_DONE = 600.0
"""Seconds: a backlog is watched until nothing of it is left."""

_GROWN = Program(ROUTER, "tests.bench.growing")
_ROUTER = Program(ROUTER, "tests.bench.routing")
_CASE = middle("null")

K = TypeVar("K")


class Queues(NamedTuple):
    number: int
    spread: Spread

    @property
    def words(self) -> str:
        return f"{self.number} queues, filled {'alike' if self.spread == 'even' else 'as a bank'}"


class Stands:
    """One for each number of queues and each backlog, all on one cluster; ``left_out`` says what
    could not be measured, and why."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self._cluster = cluster
        self._folder = folder
        self.left_out: list[str] = []

    def queues(self, queues: Queues, waiting: int) -> Stand:
        path = self._folder / f"grown-{queues.number}.yaml"
        path.write_bytes(grown_policy(queues.number, RULES))
        return Stand(
            self._cluster,
            self._folder,
            {"null": waiting},
            queues=tuple(map(queue_name, range(queues.number))),
            inputs=f"q{queues.number}{queues.spread}",
            more={
                "ROUTER_POLICY": str(path),
                "BENCH_QUEUES": str(queues.number),
                "BENCH_SPREAD": queues.spread,
            },
        )

    def backlog(self, waiting: int) -> Stand:
        return Stand(self._cluster, self._folder, {"null": waiting}, inputs=f"b{waiting}")


def measure_queues(
    stands: Stands, counts: Sequence[int], waiting: int, rounds: int, seconds: float
) -> dict[Queues, list[Run]]:
    """Each number of queues, filled in both ways, once a round."""
    places = {
        queues: stands.queues(queues, waiting)
        for spread in get_args(Spread)
        for queues in (Queues(count, spread) for count in counts)
    }
    return _in_turns(places, _GROWN, rounds, seconds, stands.left_out)


def measure_backlogs(stands: Stands, waiting: Sequence[int], rounds: int) -> dict[int, list[Run]]:
    """Each backlog worked through to its end, once a round."""
    places = {count: stands.backlog(count) for count in waiting}
    return _in_turns(places, _ROUTER, rounds, _UNTIL_DONE, stands.left_out)


def queue_ratios(found: Mapping[Queues, Sequence[Run]]) -> list[Ratio]:
    """The most queues beside the fewest: no promise, since more produce batches are more work."""
    few, many = min(one.number for one in found), max(one.number for one in found)
    ratios = []
    for spread in get_args(Spread):
        small, large = found[Queues(few, spread)], found[Queues(many, spread)]
        words = f"{Queues(many, spread).words} / {few}"
        ratios += [
            ratio_of(f"messages a second: {words}", _rates(large), _rates(small)),
            ratio_of(f"processor time a message: {words}", _cpus(large), _cpus(small), "lower"),
        ]
    return [ratio for ratio in ratios if ratio]


def backlog_ratios(found: Mapping[int, Sequence[Run]]) -> list[Ratio]:
    """The larger backlog beside the smaller, each for one message, and memory as a whole."""
    few, many = found[min(found)], found[max(found)]
    words = f"{max(found):,} waiting / {min(found):,}"
    many_times, few_times = ([1 / run.rate for run in runs] for runs in (many, few))
    many_sizes, few_sizes = ([float(run.rss) for run in runs] for runs in (many, few))
    each = (
        ratio_of(f"time a message: {words}", many_times, few_times, "lower", MOST_BACKLOG),
        ratio_of(
            f"processor time a message: {words}", _cpus(many), _cpus(few), "lower", MOST_BACKLOG
        ),
        ratio_of(f"largest memory: {words}", many_sizes, few_sizes, "lower", MOST_BACKLOG),
    )
    return [ratio for ratio in each if ratio]


def _in_turns(
    places: Mapping[K, Stand], program: Program, rounds: int, seconds: float, left_out: list[str]
) -> dict[K, list[Run]]:
    found: dict[K, list[Run]] = {key: [] for key in places}
    for turn in range(rounds):
        for key in places if turn % 2 == 0 else reversed(list(places)):
            try:
                run = undisturbed(partial(drain, places[key], _CASE, program, seconds))
            except (UnableError, KafkaError, TimeoutError) as error:
                left_out.append(f"{key}, round {turn + 1}: {type(error).__name__}: {error}")
            else:
                found[key].append(run)
    return found


def _rates(runs: Iterable[Run]) -> list[float]:
    return [run.rate for run in runs]


def _cpus(runs: Iterable[Run]) -> list[float]:
    return [run.cpu for run in runs]
