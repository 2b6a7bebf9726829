"""What may come over a bank: an ordinary hour, a day, a burst, an outage, a busy customer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tests.bench.figures import Latency, latencies
from tests.bench.simulation.arrivals import Wave, daily, partitions_of, poisson, skew
from tests.bench.simulation.scaling import Aims
from tests.bench.simulation.world import Costs, Seen, simulate

PARTITIONS = 8
OUTAGE = (600.0, 1200.0)
_LIMITS = Aims(most=PARTITIONS)
_POLICIES = {
    "fixed": None,
    "lag": replace(_LIMITS, busy=0.0),
    "lag and processor": _LIMITS,
}


@dataclass(frozen=True, slots=True)
class Scenario:
    """``waves`` in shares of what one worker can do; ``workers`` at its beginning."""

    name: str
    waves: Sequence[Wave]
    workers: int
    policy: str
    down: tuple[float, float] | None = None
    exponent: float = 0.8
    pause: float = 3.0


@dataclass(frozen=True, slots=True)
class Told:
    """``longest`` is the longest wait of any message, in seconds as all of them; ``cores`` worker
    hours; ``skew`` the busiest partition's traffic beside the mean; ``changes`` how often the
    number of workers changed."""

    name: str
    policy: str
    messages: int
    skew: float
    waits: Latency
    longest: float
    least: int
    most: int
    changes: int
    cores: float
    workers: list[tuple[float, int]]


def scenarios() -> Iterator[Scenario]:
    """Each as it would go with as many workers as in the beginning, and with an autoscaler."""
    steady = [Wave(3600.0, 2.8)]
    burst = [Wave(1200.0, 0.5), Wave(1500.0, 5.0), Wave(4200.0, 0.5)]
    for policy in _POLICIES:
        fixed = policy == "fixed"
        yield Scenario("an ordinary hour", steady, 4, policy)
        yield Scenario(
            "a day, pressed into two hours", daily(4.0, 7200.0), 6 if fixed else 2, policy
        )
        yield Scenario("ten times as many for five minutes", burst, 2, policy)
        yield Scenario("ten minutes without a worker", steady, 4, policy, down=OUTAGE)
    yield Scenario(
        "an ordinary hour, few senders write most", steady, 4, "lag and processor", exponent=1.1
    )
    yield Scenario(
        "an ordinary hour, rebalances of half a minute", steady, 2, "lag and processor", pause=30.0
    )


def play(scenario: Scenario, costs: Costs, *, scale: float = 1.0, seed: int = 1) -> Told:
    """``scale`` shortens every wave, for a try."""
    dice = np.random.default_rng(seed)
    full = 1 / (costs.each + costs.fixed / costs.batch_records)
    waves = [Wave(wave.until * scale, wave.rate * full) for wave in scenario.waves]
    times = poisson(waves, dice)
    places = partitions_of(
        len(times),
        PARTITIONS,
        dice,
        conversations=max(50, len(times) // 5),
        exponent=scenario.exponent,
    )
    down = scenario.down
    seen = simulate(
        times,
        places,
        PARTITIONS,
        replace(costs, pause=scenario.pause),
        workers=scenario.workers,
        aims=_POLICIES[scenario.policy],
        down=(down[0] * scale, down[1] * scale) if down else None,
    )
    return _told(scenario, seen, skew(places, PARTITIONS))


def _told(scenario: Scenario, seen: Seen, busiest: float) -> Told:
    numbers = [number for _, number in seen.workers]
    present = [number for number in numbers if number]
    ends = [at for at, _ in seen.workers[1:]] + [seen.ended]
    spent = sum((end - at) * number for (at, number), end in zip(seen.workers, ends, strict=True))
    return Told(
        name=scenario.name,
        policy=scenario.policy,
        messages=len(seen.waits),
        skew=busiest,
        waits=latencies(seen.waits.tolist()),
        longest=float(seen.waits.max()),
        least=min(present),
        most=max(present),
        changes=len(numbers) - 1,
        cores=spent / 3600,
        workers=seen.workers,
    )
