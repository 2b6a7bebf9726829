"""What happened in a run, one JSON line for each thing, so that it can be checked afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import orjson

Delivery = Literal["exactly-once", "at-least-once"]


@dataclass(frozen=True, slots=True)
class Produced:
    """An event that was sent; ``acked`` False: the broker did not say that it has it."""

    number: int
    acked: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """An event that stands on an input topic."""

    topic: str
    partition: int
    offset: int
    number: int
    conversation: str

    @property
    def source(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(frozen=True, slots=True)
class Read:
    """A record that a read-committed reader finds on an output topic.

    ``source`` is the input it was made from, ``conversation`` its key. ``decision_id``, ``queue``
    and ``reason`` are the decision's; of a dead letter ``queue`` is its topic's role, the others
    are empty. ``log`` says that the topic is the decision log and not a place for people.
    """

    topic: str
    partition: int
    offset: int
    source: str
    conversation: str
    decision_id: str
    queue: str
    reason: str
    log: bool


@dataclass(frozen=True, slots=True)
class Deed:
    """Something done to the system, or that it did: a kill, a restart, an exit."""

    at: float
    what: str
    detail: dict[str, Any]


@dataclass(slots=True)
class History:
    delivery: Delivery
    produced: list[Produced] = field(default_factory=list)
    standing: list[Standing] = field(default_factory=list)
    read: list[Read] = field(default_factory=list)
    deeds: list[Deed] = field(default_factory=list)


_KINDS: dict[str, type[Any]] = {
    "produced": Produced,
    "standing": Standing,
    "read": Read,
    "deed": Deed,
}


def save(history: History, path: Path) -> None:
    with path.open("wb") as file:
        for row in _rows(history):
            file.write(orjson.dumps(row) + b"\n")


def load(path: Path) -> History:
    """A history that was saved.

    Raises:
        ValueError: a line is none of a history's.
    """
    found: History | None = None
    with path.open("rb") as file:
        for line in file:
            row = orjson.loads(line)
            kind = row.pop("kind", None)
            if kind == "run":
                found = History(**row)
            elif found is None or kind not in _KINDS:
                raise ValueError(f"{path} is no history of a chaos run.")
            else:
                _lists(found)[kind].append(_KINDS[kind](**row))
    if found is None:
        raise ValueError(f"{path} is no history of a chaos run.")
    return found


def _rows(history: History) -> Iterator[dict[str, Any]]:
    yield {"kind": "run", "delivery": history.delivery}
    for kind, things in _lists(history).items():
        yield from ({"kind": kind, **asdict(thing)} for thing in _each(things))


def _lists(history: History) -> dict[str, list[Any]]:
    return {
        "produced": history.produced,
        "standing": history.standing,
        "read": history.read,
        "deed": history.deeds,
    }


def _each(things: Iterable[Any]) -> Iterator[Any]:
    yield from things
