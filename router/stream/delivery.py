"""How a slice is delivered: what a partition needs for it, what publishes it, who commits it.

The rest of the stream knows this protocol alone; ``AtLeastOnce`` is here, the other guarantee in
``exactly_once``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from router.core.record import OutRecord
from router.errors import StreamError
from router.stream.partition import Partition, TopicPartition
from router.stream.sending import Places, SendingProducer, Sent, send

_RENEWALS = 5
_log = structlog.get_logger("router.stream")


class Parcel(Protocol):
    """All that is to be published for one slice."""

    @property
    def partition(self) -> Partition:
        """Whose slice it is."""
        ...

    @property
    def next_offset(self) -> int:
        """To be committed once all is published."""
        ...

    @property
    def outputs(self) -> Sequence[Sequence[OutRecord]]:
        """Of each input record, in the order in which they should be published."""
        ...

    def shrink(self, place: int, refused: OutRecord) -> Sequence[OutRecord]:
        """``refused``, of the input record at ``place``, is too large for its topic: what to
        publish in its place, from now on all that there is of that one.

        Raises:
            StreamError: there is nothing smaller left to try.
        """
        ...


class Delivery(Protocol):
    """One guarantee."""

    name: str
    commits: bool
    """Whether the consumer commits what is acknowledged; else ``publish`` has done so."""
    together: bool
    """Whether slices of several partitions are given to one ``publish``; else each has its own."""

    async def assigned(self, partitions: Iterable[TopicPartition]) -> None:
        """Before the group's offsets of these are read."""
        ...

    async def revoked(self, partitions: Iterable[TopicPartition]) -> None:
        """After the last slice of these was published or dropped."""
        ...

    async def publish(self, parcels: Sequence[Parcel]) -> None:
        """Returns when the broker has acknowledged every record of every parcel.

        Raises:
            StreamError: it has not, and will not; the process must leave and replay.
        """
        ...


class Renewable(Protocol):
    """A producer that can be replaced by a fresh one."""

    @property
    def current(self) -> SendingProducer: ...

    async def renew(self, broken: SendingProducer) -> None: ...


@dataclass(slots=True)
class AtLeastOnce:
    """One producer for all partitions; ``limit`` is the longest wait for a slice, in seconds, and
    begins anew where something of it was refused."""

    producers: Renewable
    limit: float
    name: str = "at-least-once"
    commits: bool = True
    together: bool = True
    _places: Places = field(default_factory=Places)

    async def assigned(self, partitions: Iterable[TopicPartition]) -> None:
        """Nothing is needed."""

    async def revoked(self, partitions: Iterable[TopicPartition]) -> None:
        """Nothing was taken."""

    async def publish(self, parcels: Sequence[Parcel]) -> None:
        records = flat(parcels)
        left: Sequence[int] = range(len(records))
        owners: list[Owner] = []
        alone: set[int] = set()
        renewals = 0
        while left:
            producer = self.producers.current
            sent = await send(producer, records, left, alone, self.limit, shared=self._places)
            if sent.whole:
                return
            owners = owners or owners_of(parcels)
            kept = [place for place in left if place not in sent.delivered]
            left = kept + _replace(sent, records, owners, alone, kept)
            renewals += sent.broken
            if renewals > _RENEWALS:
                raise StreamError("The broker keeps refusing the producer's sequence numbers.")
            await self.producers.renew(producer)


Owner = tuple[Parcel, int]
"""A parcel, and the place of the input record in it."""


def flat(parcels: Sequence[Parcel]) -> list[OutRecord]:
    """All that is to be published, in order."""
    return [record for parcel in parcels for outputs in parcel.outputs for record in outputs]


def owners_of(parcels: Sequence[Parcel]) -> list[Owner]:
    """Whose each of the `flat` records is; asked before any is replaced."""
    return [
        (parcel, place)
        for parcel in parcels
        for place, outputs in enumerate(parcel.outputs)
        for _ in outputs
    ]


def _replace(
    sent: Sent,
    records: list[OutRecord],
    owners: list[Owner],
    alone: set[int],
    left: list[int],
) -> list[int]:
    """Deal with batches that were too large: split them, or put something smaller in.

    Takes from ``left`` what is not to be published any more, and gives what is to be instead.
    """
    added: list[int] = []
    for members in sent.refused:
        if len(members) > 1:
            alone.update(members)
            continue
        owner, refused = owners[members[0]], records[members[0]]
        log_refused(refused)
        gone = {place for place, other in enumerate(owners) if other == owner}
        left[:] = [place for place in left if place not in gone]
        parcel, place = owner
        for record in parcel.shrink(place, refused):
            added.append(len(records))
            records.append(record)
            owners.append(owner)
    return added


def log_refused(record: OutRecord) -> None:
    """A record is too large for its topic, and something smaller is tried."""
    _log.warning("record too large for its topic", topic=record.topic)
