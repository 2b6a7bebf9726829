"""Emits the plan, each record when its time has come."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from router.core.record import Source
from router.core.topics import Topics
from router.demo.ledger import Ledger, Sent
from router.demo.parting import part
from router.demo.schedule import Planned
from router.errors import BrokerError
from router.stream.sizes import input_bytes


async def emit(
    planned: Sequence[Planned],
    topics: Topics,
    ledger: Ledger,
    client: Mapping[str, Any],
    *,
    max_event_bytes: int,
) -> None:
    """Emit all of ``planned``, and enter each when the broker has it.

    ``client`` is how aiokafka is to reach the broker: servers and security. Records of one
    conversation have one key, so one partition, so one order.

    Raises:
        BrokerError: the broker did not take a record.
    """
    producer = AIOKafkaProducer(
        **client, acks="all", linger_ms=0, max_request_size=input_bytes(max_event_bytes)
    )
    try:
        await producer.start()
        async with asyncio.TaskGroup() as acknowledgements:
            begun = time.monotonic()
            for record in planned:
                await asyncio.sleep(max(0.0, begun + record.at - time.monotonic()))
                at = time.monotonic()
                topic = topics.chat if record.channel == "chat" else topics.email
                future = await producer.send(topic, record.value(time.time()), key=record.key)
                acknowledgements.create_task(_enter(record, at, future, ledger))
    except* KafkaError as errors:
        raise BrokerError(
            f"The broker did not take a record: {errors.exceptions[0]!r}.",
            "Its log says more; its limits must allow ROUTER_MAX_EVENT_BYTES.",
        ) from None
    finally:
        await part(producer.stop())


async def _enter(record: Planned, at: float, future: asyncio.Future[Any], ledger: Ledger) -> None:
    metadata = await future
    source = Source(metadata.topic, metadata.partition, metadata.offset)
    ledger.emit(Sent(source, record.event_id, record.words, at))
