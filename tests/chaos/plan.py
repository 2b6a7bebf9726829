"""What is done to workers, brokers and the model, as a pure function of a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tests.chaos.board import WANTED, Moment, Phase

Order = Literal["raise", "hang", "memory", ""]
"""To the model; empty: be well again."""


@dataclass(frozen=True, slots=True)
class Aim:
    """A worker at a phase; ``delay`` is seconds from there to the deed."""

    slot: int
    phase: Phase
    moment: Moment
    delay: float


@dataclass(frozen=True, slots=True)
class Kill:
    """SIGKILL; ``away`` is seconds until another is started in its place."""

    aim: Aim
    away: float
    gap: float


@dataclass(frozen=True, slots=True)
class Pause:
    """SIGSTOP until ``over`` seconds past the session, then SIGCONT."""

    aim: Aim
    over: float
    gap: float


@dataclass(frozen=True, slots=True)
class Stop:
    """SIGTERM; it must leave by itself."""

    aim: Aim
    away: float
    gap: float


@dataclass(frozen=True, slots=True)
class Tell:
    """An order to every worker's model."""

    order: Order
    gap: float


Action = Kill | Pause | Stop | Tell


@dataclass(frozen=True, slots=True)
class Restart:
    """SIGKILL a broker, start it again after ``down`` seconds; ``gap`` is the wait before."""

    node: int
    down: float
    gap: float


@dataclass(frozen=True, slots=True)
class Plan:
    """``actions`` and ``restarts`` go on side by side, each in its order."""

    seed: int
    actions: tuple[Action, ...]
    restarts: tuple[Restart, ...]


def make_plan(seed: int, *, kills: int, restarts: int, slots: int, nodes: int) -> Plan:
    """The same for the same arguments. Every phase gets its share of the kills; one action in ten
    each is a pause or a stop, and one kill in ten falls while the model is broken."""
    dice = random.Random(seed)  # noqa: S311 - reproducible, not secret
    return Plan(
        seed,
        tuple(_actions(dice, kills, slots)),
        tuple(
            Restart(dice.randrange(nodes), dice.uniform(0.5, 4.0), dice.uniform(1.0, 4.0))
            for _ in range(restarts)
        ),
    )


def _actions(dice: random.Random, kills: int, slots: int) -> Iterator[Action]:
    few = max(1, kills // 10)
    aimed: list[Action] = [
        Kill(_aim(dice, slots, WANTED[n % len(WANTED)]), dice.uniform(0, 1), _gap(dice))
        for n in range(kills)
    ]
    working = WANTED[:-1]
    aimed += [
        Pause(_aim(dice, slots, dice.choice(working)), dice.uniform(0.5, 2), _gap(dice))
        for _ in range(few)
    ]
    aimed += [
        Stop(_aim(dice, slots, dice.choice(working)), dice.uniform(0, 1), _gap(dice))
        for _ in range(few)
    ]
    dice.shuffle(aimed)
    orders: tuple[Order, ...] = ("raise", "hang", "memory")
    broken = set(dice.sample(range(len(aimed)), min(len(aimed), max(len(orders), few))))
    told = 0
    for place, action in enumerate(aimed):
        if place in broken:
            yield Tell(orders[told % len(orders)], dice.uniform(0.5, 1.5))
            told += 1
        yield action
        if place in broken:
            yield Tell("", _gap(dice))


def _aim(dice: random.Random, slots: int, phase: Phase) -> Aim:
    return Aim(dice.randrange(slots), phase, dice.choice(tuple(Moment)), dice.uniform(0, 0.02))


def _gap(dice: random.Random) -> float:
    return dice.uniform(0.2, 1.5)
