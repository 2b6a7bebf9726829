"""Prediction sets that keep their promise for each intent, not only on the whole. Pure numpy.

An intent belongs to a text's set when its probability is at least the intent's ``least``. Split
conformal prediction gives that from the probabilities which held-out texts have of their right
intent. One ``least`` for all covers the whole and may fail the hard intents. So an intent with
enough texts gets one of its own; those with fewer share one with intents whose probabilities lie
alike (Ding, Angelopoulos, Bates, Jordan and Tibshirani, Class-conditional conformal prediction with
many classes, 2023); those with too few to say even that keep the whole's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from router.core.calibration import Floats

Ints = npt.NDArray[np.int64]

OWN = 100
"""So many texts give an intent a ``least`` of its own: its coverage then keeps within about two
points of what is promised."""

LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9)
"""Quantiles of an intent's scores that say where it lies."""

_RESTARTS = 8
_ROUNDS = 50
_SEED = 0


@dataclass(frozen=True, slots=True)
class Sets:
    """``least`` holds for intents that ``least_of`` does not name."""

    least: float
    least_of: Mapping[int, float]


def fit_sets(right: Floats, intents: Ints, coverage: float) -> Sets:
    """``right`` are the probabilities that texts have of their own right intent, ``intents``."""
    whole = set_least(right, coverage)
    counts = {int(i): int(n) for i, n in zip(*np.unique(intents, return_counts=True), strict=True)}
    few = fewest_texts(coverage)
    least_of = {
        intent: set_least(right[intents == intent], coverage)
        for intent, n in counts.items()
        if n >= max(OWN, few)
    }
    rest = {intent: n for intent, n in counts.items() if few <= n and intent not in least_of}
    least_of |= _shared(right, intents, rest, few, coverage)
    return Sets(whole, dict(sorted(least_of.items())))


def set_least(right: Floats, coverage: float) -> float:
    """The threshold that ``coverage`` of texts' right intents reach: split conformal prediction,
    with its correction for how many texts there are. ``right`` is their probabilities."""
    rank = math.floor((1 - coverage) * (len(right) + 1) + 1e-9)
    return round(float(np.sort(right)[rank - 1]), 4) if rank >= 1 else 0.0


def fewest_texts(coverage: float) -> int:
    """With fewer texts the correction leaves no threshold but 0: every intent is in the set."""
    return math.ceil(1 / (1 - coverage) - 1 - 1e-9)


def _shared(
    right: Floats, intents: Ints, counts: Mapping[int, int], few: int, coverage: float
) -> dict[int, float]:
    """The ``least`` of clusters of intents.

    Part of each intent's texts says which intents lie alike and the rest how they are covered: the
    same texts for both would promise too much. How large that part is and how many clusters there
    are follow the paper.
    """
    if len(counts) <= 1:
        return {}
    share = len(counts) / (75 + len(counts))
    clusters = math.floor(share * min(counts.values()) / 2)
    if clusters <= 1:
        return {}
    chance = np.random.default_rng(_SEED)
    where: list[Floats] = []
    kept: dict[int, Floats] = {}
    for intent in counts:
        own = chance.permutation(right[intents == intent])
        used = max(1, round(share * len(own)))
        where.append(np.quantile(1 - own[:used], LEVELS))
        kept[intent] = own[used:]
    weights = np.sqrt(list(counts.values()))
    of = cluster(np.array(where), weights, min(clusters, len(counts)))
    least_of: dict[int, float] = {}
    for number in np.unique(of):
        members = [intent for intent, mine in zip(counts, of, strict=True) if mine == number]
        together = np.concatenate([kept[intent] for intent in members])
        if len(together) >= few:
            least_of |= dict.fromkeys(members, set_least(together, coverage))
    return least_of


def cluster(points: Floats, weights: Floats, clusters: int) -> Ints:
    """The number of each point's cluster, by weighted k-means: the best of some seeded starts."""
    chance = np.random.default_rng(_SEED)
    best: Ints = np.zeros(len(points), np.int64)
    least = math.inf
    for _ in range(_RESTARTS):
        centres = points[chance.choice(len(points), clusters, replace=False)]
        for _ in range(_ROUNDS):
            distance = ((points[:, None] - centres[None]) ** 2).sum(axis=2)
            of: Ints = np.asarray(distance.argmin(axis=1), np.int64)
            moved = np.array(
                [
                    np.average(points[of == c], axis=0, weights=weights[of == c])
                    if (of == c).any()
                    else centres[c]
                    for c in range(clusters)
                ]
            )
            if np.allclose(moved, centres):
                break
            centres = moved
        loss = float((weights * distance.min(axis=1)).sum())
        if loss < least:
            best, least = of, loss
    return best
