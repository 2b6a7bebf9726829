"""What queues and rules cost within the process: the line alone, no broker, one batch at a time."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import orjson

from router import assembly
from router.core.line import Line
from router.core.record import InRecord, Source
from router.ops.clock import SystemClock
from router.settings import Settings
from tests.bench.figures import Ratio, ratio_of
from tests.bench.grown_policy import (
    COUNTRIES,
    LANGUAGES,
    PRODUCTS,
    SEGMENTS,
    grown_policy,
    intents,
    phrase,
)
from tests.bench.spreading import SpreadClassifier
from tests.bench.texts import of_length

MOST = 1.15
_BATCH = 256
_DIFFERENT = 8 * _BATCH
_WITH_PHRASE = 0.2
"""Of the messages: so many speak of what rules speak of."""


class Size(NamedTuple):
    queues: int
    rules: int


SMALL = Size(16, 20)
"""What each of the others is compared with."""


@dataclass(frozen=True, slots=True)
class Measured:
    """``micros`` are processor microseconds a message, once a round; ``by_rule`` the share of the
    messages that a rule decided."""

    micros: tuple[float, ...]
    by_rule: float


def measure(sizes: Sequence[Size], rounds: int, batches: int, folder: Path) -> dict[Size, Measured]:
    """Rounds of so many batches of each size. The sizes take turns batch by batch, forth and back,
    so that the machine's swings meet all of them alike."""
    lines = {size: _line(size, folder) for size in sizes}
    records = some_records()
    by_rule = {size: _by_rule(line, records) for size, line in lines.items()}  # and warms
    found: dict[Size, list[float]] = {size: [] for size in sizes}
    for _ in range(rounds):
        spent = dict.fromkeys(sizes, 0.0)
        for number in range(batches):
            start = number * _BATCH % len(records)
            for size in sizes if number % 2 == 0 else reversed(sizes):
                began = time.process_time()
                lines[size].route(records[start : start + _BATCH], 0.0)
                spent[size] += time.process_time() - began
        for size in sizes:
            found[size].append(spent[size] / (batches * _BATCH) * 1e6)
    return {size: Measured(tuple(each), by_rule[size]) for size, each in found.items()}


def ratios(measured: Mapping[Size, Measured]) -> list[Ratio]:
    """Each size beside the small one, with what is promised."""
    small = measured[SMALL].micros
    found = (
        ratio_of(_words(size), one.micros, small, "lower", MOST)
        for size, one in measured.items()
        if size != SMALL
    )
    return [ratio for ratio in found if ratio]


def some_records() -> list[InRecord]:
    """Chat messages with facts, some of which say what rules ask for."""
    dice = random.Random(1)  # noqa: S311 - reproducible, not secret
    return list(_records(dice, Settings().topics().chat))


def _records(dice: random.Random, topic: str) -> Iterator[InRecord]:
    for number in range(_DIFFERENT):
        text = of_length(16, dice, lambda words: len(words.split()))
        if dice.random() < _WITH_PHRASE:
            text = f"{phrase(dice, dice.choice(LANGUAGES))} {text}"
        event = {
            "event_id": str(number),
            "conversation_id": f"c{number}",
            "time": "2026-01-05T08:00:00Z",
            "text": text,
            "country": dice.choice(COUNTRIES),
            "product": dice.choice(PRODUCTS),
            "segment": dice.choice(SEGMENTS),
        }
        source = Source(topic, 0, number)
        yield InRecord(source, b"c%d" % number, orjson.dumps(event), (), 0.0)


def _line(size: Size, folder: Path) -> Line:
    path = folder / f"policy-{size.queues}-{size.rules}.yaml"
    path.write_bytes(grown_policy(*size))
    return grown_line(Settings(policy=str(path)), SpreadClassifier(intents(size.queues), "even"))


def grown_line(settings: Settings, classifier: SpreadClassifier) -> Line:
    """The line as a worker builds it, but for the model. A fault of it ends the run."""
    with mock.patch.object(assembly, "open_classifier", return_value=classifier):
        return assembly.build_line(settings, SystemClock(), _raise)


def _by_rule(line: Line, records: Sequence[InRecord]) -> float:
    decisions = [outcome.decision for outcome in line.route(records, 0.0)]
    return sum(bool(one and one.rule) for one in decisions) / len(decisions)


def _words(size: Size) -> str:
    grown = [
        f"{now:,} {name} / {before}"
        for name, now, before in zip(Size._fields, size, SMALL, strict=True)
        if now != before
    ]
    return f"processor time a message in process: {', '.join(grown)}"


def _raise(_where: str, error: Exception) -> None:
    raise error
