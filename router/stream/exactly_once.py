"""Exactly once: a slice's records and its offset in one transaction of its partition's producer.

The transactional id is a function of group, topic and partition alone: whoever starts a producer
under it fences whoever had it before, and waits until that one's last transaction is settled. So
it is started before the group's offsets are read. A failure is never mended here: the process
leaves, and the next owner's start aborts what was open.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

import aiokafka.producer.sender
import structlog
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.structs import OffsetAndMetadata

from router.core.record import OutRecord
from router.errors import StreamError
from router.stream.delivery import Parcel, flat, log_refused, owners_of
from router.stream.partition import Partition, TopicPartition
from router.stream.sending import Places, Sent, send

MakeProducer = Callable[[str], Any]
"""A producer, not started, under a transactional id."""

ReadCommitted = Callable[[TopicPartition], Awaitable[int | None]]
"""The offset that the group has committed, as its coordinator has it now."""

_STOP_SECONDS = 5.0
_log = structlog.get_logger("router.stream")

# Between two transactions of one producer the broker needs a few milliseconds to write its
# markers; aiokafka asks again after 20 ms, which is most of a small transaction's time.
aiokafka.producer.sender.BACKOFF_OVERRIDE = 0.001


class ExactlyOnce:
    """One transactional producer for each assigned partition."""

    name = "exactly-once"
    commits = False
    together = False

    def __init__(
        self, group: str, make: MakeProducer, committed: ReadCommitted, limit: float
    ) -> None:
        """``limit`` is the longest wait for one slice's transaction, in seconds."""
        self._group = group
        self._make = make
        self._committed = committed
        self._limit = limit
        self._producers: dict[TopicPartition, Any] = {}

    async def assigned(self, partitions: Iterable[TopicPartition]) -> None:
        """Start the partitions' producers side by side, which fences their former owners."""
        await self.revoked(list(self._producers))
        starts = [asyncio.ensure_future(self._start(tp)) for tp in partitions]
        try:
            await asyncio.gather(*starts)
        except BaseException:
            for start in starts:
                start.cancel()
            await asyncio.gather(*starts, return_exceptions=True)
            raise

    async def revoked(self, partitions: Iterable[TopicPartition]) -> None:
        """Stop the producers; a transaction that is open is left for the next owner to abort."""
        gone = [self._producers.pop(tp, None) for tp in partitions]
        await asyncio.gather(*(_stop(producer) for producer in gone if producer is not None))

    async def publish(self, parcels: Sequence[Parcel]) -> None:
        """See ``Delivery.publish``; the offset is committed with the records."""
        (parcel,) = parcels
        try:
            async with asyncio.timeout(self._limit):
                await self._publish(parcel)
        except (StreamError, asyncio.CancelledError):
            raise
        except TimeoutError:
            raise StreamError(
                f"A transaction did not end within {self._limit:g} s.", _REPLAYED
            ) from None
        except Exception as error:
            raise StreamError(
                f"A transaction failed: {type(error).__name__}.", _REPLAYED
            ) from error
        parcel.partition.committed = parcel.next_offset

    async def _publish(self, parcel: Parcel) -> None:
        tp = parcel.partition.tp
        alone: set[int] = set()
        while True:
            producer = self._producers[tp]
            records = flat([parcel])
            by_themselves = {n for n, record in enumerate(records) if id(record) in alone}
            await producer.begin_transaction()
            everything = range(len(records))
            # One slice at a time: nobody else waits for a place of this producer's.
            sent = await send(
                producer, records, everything, by_themselves, self._limit, shared=Places()
            )
            if sent.whole:
                break
            # Its sequence numbers are broken now; a fresh one under the same id aborts for us.
            _shrink(sent, records, parcel, alone)
            await _stop(producer)
            await self._start(tp)
            await self._check_ours(parcel.partition)
        # Every send is awaited: offsets sent before that are answered with NotEnoughReplicas.
        offsets = {KafkaPartition(*tp): OffsetAndMetadata(parcel.next_offset, "")}
        await producer.send_offsets_to_transaction(offsets, self._group)
        await producer.commit_transaction()

    async def _check_ours(self, partition: Partition) -> None:
        """After a start in mid-life, which fences whoever took the partition over meanwhile: was
        this worker paused past its session, that one may have done the slice already."""
        committed = await self._committed(partition.tp)
        if committed != partition.committed:
            raise StreamError(
                f"{partition.tp.topic}/{partition.tp.partition} was taken over by another worker.",
                _REPLAYED,
            )

    async def _start(self, tp: TopicPartition) -> None:
        producer = self._make(transactional_id(self._group, tp))
        try:
            await producer.start()
        except BaseException:
            await _stop(producer)
            raise
        self._producers[tp] = producer


_REPLAYED = "Nothing of it is visible; it is routed again after a restart."


def transactional_id(group: str, tp: TopicPartition) -> str:
    """The same for every worker of the group, or two could own the partition at once."""
    return f"router/{group}/{tp.topic}/{tp.partition}"


def _shrink(sent: Sent, records: Sequence[OutRecord], parcel: Parcel, alone: set[int]) -> None:
    if sent.broken and not sent.refused:
        raise StreamError("The broker refuses the producer's sequence numbers.", _REPLAYED)
    owners = owners_of([parcel])
    for members in sent.refused:
        if len(members) > 1:
            alone.update(id(records[place]) for place in members)
        else:
            refused = records[members[0]]
            log_refused(refused)
            _, place = owners[members[0]]
            parcel.shrink(place, refused)


async def _stop(producer: Any) -> None:
    try:
        await asyncio.wait_for(producer.stop(), _STOP_SECONDS)
    except TimeoutError:
        _log.warning("a producer did not stop in time")
    except Exception as error:  # it is being thrown away, fenced perhaps
        _log.debug("a producer stopped with an error", error=type(error).__name__)
