"""What is measured: the cases, one factor away from the middle or all together, and the programs
that do each of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Literal

Load = Literal["copy", "null", "live"]
Text = Literal["chat", "long", "email", "mix"]
Delivery = Literal["at-least-once", "exactly-once"]

ROUTER = "router"
ONNX = "onnx"


@dataclass(frozen=True, slots=True)
class Case:
    """``copy`` passes each record on, ``null`` does all but ask the model, ``live`` all."""

    load: Load
    text: Text
    partitions: int
    workers: int
    delivery: Delivery

    @property
    def name(self) -> str:
        return (
            f"{self.load} {self.text} {self.partitions} partitions "
            f"{self.workers} workers {self.delivery}"
        )


FACTORS: Mapping[str, tuple[Any, ...]] = {
    "text": ("chat", "long", "email", "mix"),
    "partitions": (4, 1, 12),
    "workers": (1, 2),
    "delivery": ("at-least-once", "exactly-once"),
}
"""The first of each is the middle's."""

SHOWS: Mapping[Load, tuple[str, ...]] = {
    "copy": ("partitions", "workers", "delivery"),
    "null": ("delivery",),
    "live": ("text", "workers", "delivery"),
}
"""The factors that are varied for each load, where they show most. Without a model the length of a
text hardly matters, and with one the number of partitions."""


def middle(load: Load) -> Case:
    """The case that the others differ from in one factor."""
    return Case(load, **{name: values[0] for name, values in FACTORS.items()})


def one_at_a_time() -> Iterator[Case]:
    """Each load's middle, then what is one factor away from it."""
    for load, factors in SHOWS.items():
        yield middle(load)
        for factor in factors:
            for value in FACTORS[factor][1:]:
                yield replace(middle(load), **{factor: value})


def grid() -> Iterator[Case]:
    """Every load under every combination of factors."""
    for load in SHOWS:
        for values in product(*FACTORS.values()):
            yield Case(load, **dict(zip(FACTORS, values, strict=True)))


@dataclass(frozen=True, slots=True)
class Program:
    """One that does a case's work. ``module`` is run; ``needs`` must be installed for it."""

    name: str
    module: str
    style: str = ""
    needs: str = ""
    loads: tuple[Load, ...] = ("copy", "null", "live")
    deliveries: tuple[Delivery, ...] = ("at-least-once", "exactly-once")
    most_workers: int = 1
    usual_loads: tuple[Load, ...] = ("copy", "null")
    any_partitions: bool = False

    def does(self, case: Case) -> bool:
        return (
            case.load in self.loads
            and case.delivery in self.deliveries
            and case.workers <= self.most_workers
        )

    def usually_does(self, case: Case) -> bool:
        """Whether it belongs beside the router where one factor is varied at a time."""
        partitions = self.any_partitions or case.partitions == FACTORS["partitions"][0]
        return self.does(case) and case.load in self.usual_loads and partitions


_AT_LEAST_ONCE: tuple[Delivery, ...] = ("at-least-once",)

PROGRAMS = (
    Program(
        ROUTER,
        "tests.bench.routing",
        most_workers=2,
        usual_loads=("copy", "null", "live"),
        any_partitions=True,
    ),
    # Idempotent or transactional, as the delivery asks: what the router itself promises.
    Program("aiokafka", "tests.bench.bare", any_partitions=True),
    Program(
        "aiokafka-plain",
        "tests.bench.bare",
        style="plain",
        deliveries=_AT_LEAST_ONCE,
        loads=("copy",),
    ),
    Program(
        "faust",
        "tests.bench.baselines.stock_faust",
        # Its own exactly-once mode loses the tie between a router's outputs and its offsets.
        deliveries=_AT_LEAST_ONCE,
    ),
    Program("quix", "tests.bench.baselines.quix", needs="quixstreams"),
    Program(
        "faststream",
        "tests.bench.baselines.fast_stream",
        needs="faststream",
        deliveries=_AT_LEAST_ONCE,
    ),
    Program(
        ONNX,
        "tests.bench.baselines.onnx_loop",
        loads=("live",),
        deliveries=_AT_LEAST_ONCE,
        usual_loads=("live",),
    ),
)


def programs_of(case: Case, *, full: bool) -> list[Program]:
    """The programs that do ``case``, the router first; without ``full`` those that belong beside
    it there."""
    does = [program for program in PROGRAMS if program.does(case)]
    return does if full else [program for program in does if program.usually_does(case)]
