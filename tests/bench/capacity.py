"""How many workers, partitions and brokers a rate needs, from what one worker was measured to do.

Pure arithmetic, every formula in a function of its own; ``deploy/capacity.md`` says them in words.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

DAY = 86_400.0
_HAIR = 1e-9


@dataclass(frozen=True, slots=True)
class Work:
    """One worker on one core: ``rate`` in messages a second when it is full, ``memory`` in bytes;
    a message brings ``into`` bytes and makes ``out`` bytes in ``records`` records."""

    rate: float
    memory: float
    into: float
    out: float
    records: float = 2.0


@dataclass(frozen=True, slots=True)
class Assumed:
    """What no measurement here can say: change it for your own house.

    ``busy`` is the share of a worker that ordinary traffic may take; ``skew`` the busiest
    partition's traffic beside the mean; ``spare`` how many partitions a worker has, so that there
    may be that many times as many workers later; a broker is given by its network and disk in
    bytes a second, and the partitions and produced batches a second that it bears."""

    busy: float = 0.7
    zones: int = 3
    outage: float = 600.0
    catch_up: float = 3600.0
    skew: float = 1.5
    spare: int = 2
    slice_records: float = 32.0
    output_partitions: int = 100
    copies: int = 3
    readers: float = 1.0
    broker_network: float = 1.25e9 * 0.5
    broker_disk: float = 500e6 * 0.5
    broker_partitions: int = 4_000
    broker_batches: float = 20_000.0
    least_brokers: int = 3
    group_members: int = 300
    keep_days: float = 7.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a rate needs. Bytes and batches are a second's; ``why`` says what set the workers."""

    rate: float
    workers: int
    why: str
    partitions: int
    memory: float
    brokers: int
    into_brokers: float
    out_of_brokers: float
    disk: float
    kept: float
    batches: float
    groups: int
    full: tuple[str, ...]


def workers_for(rate: float, work: Work, assumed: Assumed) -> tuple[int, str]:
    """The largest of three needs, at least two; and which it is."""
    alone = rate / work.rate
    needs = {
        "ordinary traffic": _whole(alone / assumed.busy),
        "a zone lost": _after_loss(alone, assumed.zones),
        "catching up": _whole(alone * (1 + assumed.outage / assumed.catch_up)),
    }
    why = max(needs, key=lambda name: needs[name])
    return (needs[why], why) if needs[why] > 1 else (2, "one may fail")


def _after_loss(alone: float, zones: int) -> int:
    """The fewest of which so many are left without the fullest zone."""
    workers = _whole(alone)
    while workers - math.ceil(workers / zones) < alone - _HAIR:
        workers += 1
    return workers


def _whole(number: float) -> int:
    """A whole number that arithmetic made a hair larger is still that number."""
    return math.ceil(number - _HAIR)


def partitions_for(rate: float, workers: int, work: Work, assumed: Assumed) -> int:
    """The same number for each worker; so many that the busiest one's ordered lane is no fuller
    than a worker may be."""
    lane = assumed.skew * rate / (work.rate * assumed.busy)
    return workers * max(assumed.spare, math.ceil(lane / workers))


def batches_a_message(assumed: Assumed) -> float:
    """Produced batches: in a slice, each output partition that it meets gets one, in the decision
    log and in the queues. Balls into bins, as if all were met alike."""
    bins, balls = assumed.output_partitions, assumed.slice_records
    met: float = bins * (1 - (1 - 1 / bins) ** balls)
    return 2 * met / balls


def limits(work: Work, assumed: Assumed, partitions: int) -> dict[str, float]:
    """The messages a second at which each thing is full, for one group of workers, the fewest
    brokers and input topics of so many partitions; the first is what gives way first."""
    brokers = assumed.least_brokers
    full = work.rate * assumed.busy
    written = (work.into + work.out) * assumed.copies
    read = (work.into + work.out) * (assumed.copies - 1) + work.into + work.out * assumed.readers
    found = {
        "one worker's processor": full,
        "one partition's ordered lane": full * partitions / assumed.skew,
        "as many workers as partitions": full * partitions,
        "the group's size": full * assumed.group_members,
        "the brokers' network": brokers * assumed.broker_network / max(written, read),
        "the brokers' disks": brokers * assumed.broker_disk / written,
        "produced batches": brokers
        * assumed.broker_batches
        / (batches_a_message(assumed) * assumed.copies),
    }
    return dict(sorted(found.items(), key=lambda item: item[1]))


def plan(rate: float, work: Work, assumed: Assumed, partitions: int) -> Plan:
    """``partitions`` are the input topics' today: of that which is full then, ``full`` tells."""
    workers, why = workers_for(rate, work, assumed)
    lanes = partitions_for(rate, workers, work, assumed)
    written = rate * (work.into + work.out)
    into = written * assumed.copies
    out = written * (assumed.copies - 1) + rate * (work.into + work.out * assumed.readers)
    batches = rate * batches_a_message(assumed)
    needs = (
        max(into, out) / assumed.broker_network,
        into / assumed.broker_disk,
        (2 * lanes + 2 * assumed.output_partitions) * assumed.copies / assumed.broker_partitions,
        batches * assumed.copies / assumed.broker_batches,
    )
    return Plan(
        rate=rate,
        workers=workers,
        why=why,
        partitions=lanes,
        memory=workers * work.memory,
        brokers=max(assumed.least_brokers, math.ceil(max(needs))),
        into_brokers=into,
        out_of_brokers=out,
        disk=into,
        kept=into * assumed.keep_days * DAY,
        batches=batches,
        groups=math.ceil(workers / assumed.group_members),
        full=tuple(name for name, at in limits(work, assumed, partitions).items() if at < rate),
    )


def mixed(rates: Mapping[str, float], shares: Mapping[str, float]) -> float:
    """The rate of a mix, whose messages take as long as each kind takes alone."""
    return 1 / sum(share / rates[name] for name, share in shares.items())


def error(predicted: float, measured: float) -> float:
    """Of a prediction, as a share of what was measured; positive where it promised too much."""
    return predicted / measured - 1
