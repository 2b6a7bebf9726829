"""Thresholds that keep a queue's share of wrong messages below a bound, with a proof.

Learn then Test (Angelopoulos, Bates, Candès, Jordan and Lei, 2021): "at this threshold the model
sends more than ``risk`` of its messages wrongly" is a hypothesis with an exact binomial p-value;
the hypotheses are tested from the strictest threshold downwards until one stands. So all that have
fallen by then are false together with probability ``1 - delta``, and the lowest of those thresholds
may be taken. Nothing is assumed of the model: not that it is calibrated, not that a stricter
threshold makes fewer errors.

That needs a first threshold which the tested messages have not chosen, since a very strict one
leaves too few of them. One message in ten, by a hash of its text, is set aside to say which
threshold leaves enough, and is not tested (the paper's split fixed sequence).

Which queues are tested by themselves is told by their numbers of messages alone, and the others are
tested together as one; each test gets the same part of ``1 - confidence`` (Bonferroni).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from router.core.binomial import at_most, fewest, upper_bound

From = Literal["queue", "pooled", "review"]

REVIEW_ALL = 1.0
"""The threshold at which nothing goes to a queue on the model's word alone."""

_STEPS = 100
"""Thresholds are hundredths: what a person can read and a policy's history can show."""

_BY_CHANCE = 0.05

_USUAL_START = 90
"""Where the tests begin when no message set aside says better."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A labelled message that the model alone would send to ``queue`` at threshold 0; ``apart``
    is one that is set aside to find where the tests begin."""

    queue: str
    confidence: float
    right: bool
    apart: bool


@dataclass(frozen=True, slots=True)
class Aim:
    """``risk`` is the largest share of wrong ones among the messages sent, from above 0 to below
    1; ``confidence`` the probability, over the draw of the data, that it holds for all queues."""

    risk: float
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A queue's threshold and why.

    ``n`` tested messages reached the threshold and ``errors`` of them were wrong; ``bound`` is the
    largest risk that these do not exclude. Of a queue that is tested together with others they are
    those of all. Of a queue that goes to review they are those of the first test, which failed.
    ``of`` counts the queue's own messages, ``sent`` those that reach the threshold, and ``wrong``
    those of them that are.
    """

    queue: str
    threshold: float
    source: From
    n: int
    errors: int
    bound: float
    of: int
    sent: int
    wrong: int


@dataclass(frozen=True, slots=True)
class Fitted:
    """``tests`` share ``1 - confidence``; a queue needs ``needed`` messages for one of its own."""

    fits: tuple[Fit, ...]
    tests: int
    needed: int


def fit_thresholds(rows: Sequence[Sent], queues: Sequence[str], aim: Aim) -> Fitted:
    """A threshold for each of ``queues``, in their order; rows of other queues do not count."""
    tested: dict[str, list[Sent]] = {queue: [] for queue in queues}
    apart: dict[str, list[Sent]] = defaultdict(list)
    for row in rows:
        if row.queue in tested:
            (apart if row.apart else tested)[row.queue].append(row)
    counts = {queue: len(own) for queue, own in tested.items()}
    alone, tests, needed = _alone(counts, aim)
    delta = (1 - aim.confidence) / tests
    together = [queue for queue in queues if queue not in alone and counts[queue]]
    found = {queue: _test(tested[queue], apart[queue], aim.risk, delta) for queue in alone}
    pool = _test(_all(tested, together), _all(apart, together), aim.risk, delta)
    found |= dict.fromkeys(together, pool)
    nothing = _Found(None, 0, 0, 1.0)
    pooled = together if len(together) > 1 else []
    fits = (
        _fit(queue, tested[queue], found.get(queue, nothing), alone=queue not in pooled)
        for queue in queues
    )
    return Fitted(tuple(fits), tests, needed)


@dataclass(frozen=True, slots=True)
class _Found:
    threshold: float | None
    n: int
    errors: int
    bound: float


def _alone(counts: Mapping[str, int], aim: Aim) -> tuple[frozenset[str], int, int]:
    """The queues that are tested by themselves, how many tests there are, and what one needs.

    A queue is tested alone where half of its messages may hold one error and pass. More tests make
    each stricter, so as many queues as can afford each other. Only numbers of messages decide,
    which say nothing of the errors among them.
    """
    by_size = sorted((queue for queue in counts if counts[queue]), key=lambda q: (-counts[q], q))
    for k in range(len(by_size), 0, -1):
        tests = k + (k < len(by_size))
        needed = _needed(aim, tests)
        if counts[by_size[k - 1]] >= needed:
            return frozenset(by_size[:k]), tests, needed
    # One queue with a test of its own would leave the rest a test: that is what it lacks.
    return frozenset(), 1, _needed(aim, 1 + (len(by_size) > 1))


def _needed(aim: Aim, tests: int) -> int:
    return 2 * fewest(1, aim.risk, (1 - aim.confidence) / tests)


def _test(rows: Sequence[Sent], apart: Collection[Sent], risk: float, delta: float) -> _Found:
    """The lowest threshold down to which every test, from the first, rejects "too risky"."""
    start = _start([row.confidence for row in apart], len(rows), fewest(1, risk, delta))
    found: tuple[float | None, int, int] = (None, 0, 0)
    for step in range(start, -1, -1):
        threshold = step / _STEPS
        sent = [row for row in rows if row.confidence >= threshold]
        n, errors = len(sent), sum(not row.right for row in sent)
        if errors > n * risk or at_most(errors, n, risk) > delta:
            found = found if found[0] is not None else (None, n, errors)
            break
        found = (threshold, n, errors)
    lowest, n, errors = found
    return _Found(lowest, n, errors, upper_bound(errors, n, delta))


def _start(apart: Sequence[float], count: int, few: int) -> int:
    """The first step to test, of ``count`` messages of which ``few`` may hold one error.

    With few messages left a single error ends the tests, with many the risk may be too high
    already: it lies where the geometric mean of ``few`` and half of them is expected.
    """
    if not apart or not count:
        return _USUAL_START
    share = min(1.0, max(few, math.sqrt(few * count / 2)) / count)
    chosen = sorted(apart, reverse=True)[math.ceil(share * len(apart)) - 1]
    return min(int(chosen * _STEPS), _STEPS - 1)


def _fit(queue: str, rows: Sequence[Sent], found: _Found, *, alone: bool) -> Fit:
    passed = found.threshold is not None
    threshold = REVIEW_ALL if found.threshold is None else found.threshold
    sent = [row for row in rows if passed and row.confidence >= threshold]
    source: From = "review"
    if passed:
        source = "queue" if alone else "pooled"
    return Fit(
        queue=queue,
        threshold=threshold,
        source=source,
        n=found.n,
        errors=found.errors,
        bound=found.bound,
        of=len(rows),
        sent=len(sent),
        wrong=sum(not row.right for row in sent),
    )


def _all(rows: Mapping[str, Sequence[Sent]], queues: Collection[str]) -> list[Sent]:
    return [row for queue in queues for row in rows.get(queue, ())]


def stands_out(fit: Fit, risk: float) -> bool:
    """Whether a pooled queue's own errors are more than chance makes of ``risk`` one time in
    twenty: then the pool's bound, which is of all its queues together, does not speak for it."""
    chance = 1 - at_most(fit.wrong - 1, fit.sent, risk) if fit.wrong else 1.0
    return fit.source == "pooled" and chance <= _BY_CHANCE
