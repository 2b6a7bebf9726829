"""How sure a figure is: 95 % confidence intervals. Pure numpy.

Shares of independent texts have Wilson's interval (Wilson, 1927), which holds for few texts and for
shares near 0 and 1; the area under a ROC curve has the like. Everything else is computed anew on
texts drawn with replacement (Efron, 1979): a bootstrap sees only the mistakes that are there, and
where there are next to none it is too sure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from router.model.metrics import Ints

Z = 1.959964
"""The standard normal's 97.5 % point."""

RESAMPLES = 1000
SEED = 0

Statistic = Callable[..., Mapping[str, Any]]
"""Takes as many arrays of places as there are samples, and gives numbers by name, nested or not."""


def wilson(hits: int, of: int) -> list[float] | None:
    """The interval of the share ``hits`` / ``of``; None of nothing."""
    if of == 0:
        return None
    share, weight = hits / of, Z**2 / of
    middle = (share + weight / 2) / (1 + weight)
    half = math.sqrt(share * (1 - share) * weight + weight**2 / 4) / (1 + weight)
    # At the ends a rounding may not put the share outside.
    return [max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))]


def separation_interval(area: float | None, above: int, below: int) -> list[float] | None:
    """The interval of an area under the ROC curve of so many texts ``above`` and ``below``: the
    areas that lie no further from ``area`` than `Z` times their own standard error, which is that
    of Hanley and McNeil (1982). Unlike a bootstrap's it has a width where all pairs are in order.
    """
    if area is None:
        return None

    def fits(guess: float) -> bool:
        beside = (above - 1) * (1 - guess) / (2 - guess) + (below - 1) * guess / (1 + guess)
        variance = guess * (1 - guess) * (1 + beside) / (above * below)
        return abs(guess - area) <= Z * math.sqrt(variance)

    return [_last(fits, area, 0.0), _last(fits, area, 1.0)]


def _last(fits: Callable[[float], bool], inside: float, outside: float) -> float:
    """Where ``fits`` ends between a value that does and one that need not."""
    for _ in range(60):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if fits(middle) else (inside, middle)
    return inside


def bootstrap(
    statistic: Statistic,
    sizes: Sequence[int],
    *,
    biased: Collection[str] = (),
    resamples: int = RESAMPLES,
    seed: int = SEED,
    advance: Callable[[int], None] = lambda _: None,
) -> dict[str, Any]:
    """Intervals in the shape of ``statistic``'s answer, the same for the same ``seed``.

    ``sizes`` are those of the samples, each drawn from by itself, so that none can be empty by
    chance. A figure named in ``biased`` grows when texts come twice, as a calibration error does:
    its interval is reflected on the figure itself (the basic bootstrap), which takes that out.
    ``advance`` is told of each draw.
    """
    whole = [np.arange(size) for size in sizes]
    generator = np.random.default_rng(seed)
    drawn = []
    for _ in range(resamples):
        drawn.append(statistic(*(_draw(places, generator) for places in whole)))
        advance(1)
    return _spread(statistic(*whole), drawn, frozenset(biased))


def _draw(places: Ints, generator: np.random.Generator) -> Ints:
    return generator.integers(len(places), size=len(places)) if len(places) else places


def _spread(
    figures: Mapping[str, Any], drawn: Sequence[Mapping[str, Any]], biased: frozenset[str]
) -> dict[str, Any]:
    spread: dict[str, Any] = {}
    for name, figure in figures.items():
        values = [one[name] for one in drawn]
        if isinstance(figure, Mapping):
            spread[name] = _spread(figure, values, biased)
        else:
            low, high = (float(end) for end in np.quantile(values, (0.025, 0.975)))
            if name in biased:
                low, high = max(0.0, 2 * figure - high), 2 * figure - low
            # What is biased much may lie outside; an interval without its figure helps nobody.
            spread[name] = [min(low, figure), max(high, figure)]
    return spread
