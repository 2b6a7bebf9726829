"""When messages come, and of which conversation: as independent customers do, over a day, in a
burst, or all at once after an outage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Times: TypeAlias = npt.NDArray[np.float64]
Places: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Wave:
    """``rate`` messages a second until ``until`` seconds."""

    until: float
    rate: float


def poisson(waves: list[Wave], dice: np.random.Generator) -> Times:
    """Independent customers at each wave's rate, in order."""
    found = []
    since = 0.0
    for wave in waves:
        count = dice.poisson(wave.rate * (wave.until - since))
        found.append(np.sort(dice.uniform(since, wave.until, count)))
        since = wave.until
    return np.concatenate(found) if found else np.empty(0)


def daily(peak: float, seconds: float, steps: int = 96) -> list[Wave]:
    """A day pressed into ``seconds``: a tenth of the peak by night, the peak twice, late in the
    morning and in the evening, as people write to a bank."""
    found = []
    for step in range(steps):
        hour = 24 * (step + 0.5) / steps
        day = max(_bell(hour, 11, 2.5), 0.9 * _bell(hour, 19, 2.0))
        found.append(Wave(seconds * (step + 1) / steps, peak * (0.1 + 0.9 * day)))
    return found


def _bell(hour: float, at: float, width: float) -> float:
    return float(np.exp(-(((hour - at) / width) ** 2) / 2))


def partitions_of(
    count: int,
    partitions: int,
    dice: np.random.Generator,
    *,
    conversations: int,
    exponent: float = 0.8,
) -> Places:
    """Each message's partition: conversations hash to partitions, and the busiest conversation
    writes most, the n-th as much as Zipf's law gives it."""
    home = dice.integers(0, partitions, conversations)
    weights = 1 / np.arange(1, conversations + 1) ** exponent
    bounds = np.cumsum(weights) / weights.sum()
    return np.asarray(home[np.searchsorted(bounds, dice.random(count))], dtype=np.int64)


def skew(places: Places, partitions: int) -> float:
    """The busiest partition's messages beside the mean."""
    return float(np.bincount(places, minlength=partitions).max() * partitions / len(places))
