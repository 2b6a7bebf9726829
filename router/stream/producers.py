"""The producer behind ``app.producer``: idempotent where the broker can, and replaceable."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import aiokafka
import structlog
from faust.transport.drivers.aiokafka import Producer as FaustProducer

from router.errors import StreamError
from router.settings import Settings
from router.stream.security import client_options
from router.stream.sizes import output_bytes

BATCH_BYTES = 512 * 1024
"""Below the usual limit of a topic (1 MB), which counts whole batches."""

_log = structlog.get_logger("router.stream")


def new_producer(settings: Settings, **options: Any) -> aiokafka.AIOKafkaProducer:
    """A producer of our settings and ``options``, not started. Waits for all replicas in sync."""
    return aiokafka.AIOKafkaProducer(
        bootstrap_servers=settings.broker,
        client_id="router",
        acks="all",
        linger_ms=0,  # a slice is a batch already
        max_batch_size=BATCH_BYTES,
        max_request_size=output_bytes(settings.max_event_bytes),
        **{"request_timeout_ms": int(settings.request_timeout * 1000)} | options,
        **client_options(settings),
    )


def transaction_limit(settings: Settings) -> float:
    """Seconds that a worker gives a transaction: it has left before the broker aborts it."""
    return settings.session_timeout * 0.8


def transactional_producers(settings: Settings) -> Callable[[str], aiokafka.AIOKafkaProducer]:
    """Makes producers by transactional id.

    The broker aborts a transaction after a session's time: readers of committed records wait for
    the open transaction of a worker that died no longer than its partitions wait for an owner.
    One answer may be lost within the worker's own limit, and the next still come.
    """
    request = min(settings.request_timeout, transaction_limit(settings) / 2)

    def make(transactional_id: str) -> aiokafka.AIOKafkaProducer:
        return new_producer(
            settings,
            transactional_id=transactional_id,
            transaction_timeout_ms=int(settings.session_timeout * 1000),
            request_timeout_ms=int(request * 1000),
            retry_backoff_ms=10,
        )

    return make


class BatchProducer(FaustProducer):
    """Faust starts it before the consumer and stops it after."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._renewing = asyncio.Lock()

    def _new_producer(self, transactional_id: str | None = None) -> aiokafka.AIOKafkaProducer:
        transport: Any = self.transport
        return new_producer(
            transport.settings,
            enable_idempotence=transport.idempotent or transactional_id is not None,
            transactional_id=transactional_id,
        )

    @property
    def current(self) -> aiokafka.AIOKafkaProducer:
        return self._ensure_producer()

    async def renew(self, broken: aiokafka.AIOKafkaProducer) -> None:
        """Put a fresh producer in the place of ``broken``, unless another partition did so already.

        A broker that refuses a batch of an idempotent producer refuses all that follow on that
        partition: the sequence numbers of the refused ones are missing.
        """
        async with self._renewing:
            if self._producer is not broken:
                return
            fresh = self._new_producer()
            transport: Any = self.transport
            limit = transport.settings.request_timeout
            try:
                async with asyncio.timeout(limit):
                    await fresh.start()
            except TimeoutError:
                self.add_future(_stop(fresh))
                raise StreamError(f"No producer could be started within {limit:g} s.") from None
            self._producer = fresh
            self.add_future(_stop(broken))


async def _stop(producer: aiokafka.AIOKafkaProducer) -> None:
    try:
        await asyncio.wait_for(producer.stop(), 30)
    except TimeoutError:
        _log.warning("a replaced producer did not stop in time")
