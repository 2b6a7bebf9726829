"""Whether a ratio is worse than it was, by more than repeats differ among themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.bench.figures import Ratio

LEAST_NOISE = 0.05
"""Three repeats may agree by chance: so much is never called a loss."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``loss`` is a share of what it was, negative where it got better."""

    name: str
    was: float
    now: float
    loss: float
    noise: float

    @property
    def lost(self) -> bool:
        return self.loss > self.noise


def compare(was: Ratio, now: Ratio) -> Verdict:
    """The noise is the larger of the two runs' own."""
    part = now.value / was.value
    loss = 1 - part if was.better == "higher" else part - 1
    return Verdict(was.name, was.value, now.value, loss, max(was.noise, now.noise, LEAST_NOISE))


def compare_all(
    was: Sequence[Ratio], now: Sequence[Ratio]
) -> tuple[list[Verdict], list[str], list[str]]:
    """Of the ratios that both have; the names that only the first has, and only the second."""
    old, new = ({ratio.name: ratio for ratio in ratios} for ratios in (was, now))
    both = [compare(old[name], new[name]) for name in old if name in new]
    return both, [name for name in old if name not in new], [n for n in new if n not in old]


def ratios_in(document: Mapping[str, Any]) -> list[Ratio]:
    """The ratios of a written document (see ``report.py``).

    Raises:
        KeyError: it is none.
    """
    return [
        Ratio(one["name"], tuple(one["each"]), one["better"], one["bound"])
        for one in document["ratios"]
    ]
