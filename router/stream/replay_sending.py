"""How dead letters go back: in transactions, each with its mark, or one by one with less promised.

`replaying.md` beside this file says why a dead letter is not sent twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol

from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordListTooLargeError

from router.core.record import OutRecord
from router.errors import BrokerError
from router.settings import Settings
from router.stream.capabilities import Capabilities
from router.stream.producers import new_producer
from router.stream.refusals import denied

TRANSACTION_SECONDS = 15
"""After so long the broker itself takes back what a killed command left open; until then the
workers wait for it on the partitions that it wrote to."""

_STOP_SECONDS = 5.0
_SIZES = (MessageSizeTooLargeError, RecordListTooLargeError)
_AGAIN = "Run the same command again: it knows what was sent."


class TooLarge(Exception):  # noqa: N818  # an answer
    """A topic takes none of these: a record is larger than it allows. Nothing was sent, and the
    sender must claim again."""


@dataclass(frozen=True, slots=True)
class Return:
    """One event on its way back, to the partition it came from where there still is one, and its
    mark."""

    event: OutRecord
    partition: int | None
    mark: OutRecord


class Sender(Protocol):
    """One guarantee."""

    name: str
    batch: int
    """The most events that are sent in one go."""

    async def claim(self) -> None:
        """Take the right to send from whoever has it. What others have sent is settled after."""
        ...

    async def send(self, returns: Sequence[Return]) -> None:
        """Returns when all of it is acknowledged.

        Raises:
            TooLarge: a topic refuses a record's size.
            BrokerError: it is not sent, or not known to be.
        """
        ...


@asynccontextmanager
async def open_sender(settings: Settings, broker: Capabilities) -> AsyncIterator[Sender]:
    """The best that the broker can do; not claimed yet.

    Raises:
        BrokerError: ROUTER_DELIVERY asks for what the broker has not.
    """
    if settings.delivery == "exactly-once" and not broker.transactions:
        raise BrokerError(
            "ROUTER_DELIVERY is exactly-once, and this broker has no transactions.",
            "Set it to auto: then each dead letter goes back at least once.",
        )
    sender: _Transactions | _OneByOne
    sender = _Transactions(settings) if broker.transactions else _OneByOne(settings, broker)
    try:
        yield sender
    finally:
        await sender.close()


class _Base:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._producer: Any = None

    async def close(self) -> None:
        producer, self._producer = self._producer, None
        if producer is None:
            return
        with suppress(KafkaError, TimeoutError):  # it is thrown away, fenced perhaps
            await asyncio.wait_for(producer.stop(), _STOP_SECONDS)

    async def _start(self, **options: Any) -> None:
        await self.close()
        self._producer = new_producer(self._settings, **options)
        try:
            async with asyncio.timeout(self._settings.request_timeout):
                await self._producer.start()
        except (KafkaError, OSError, TimeoutError) as error:
            if (refused := denied(error, "WRITE")) is not None:
                raise refused from error
            raise BrokerError(
                f"The broker gives no producer: {type(error).__name__}.",
                "See its log, and whether its transactions work.",
            ) from error


class _Transactions(_Base):
    """Under one transactional id for all who send dead letters of this topic again: who claims
    fences whoever claimed before, and what that one had open is taken back."""

    name = "exactly-once"
    batch = 100

    async def claim(self) -> None:
        await self._start(
            transactional_id=transactional_id(self._settings),
            transaction_timeout_ms=TRANSACTION_SECONDS * 1000,
            retry_backoff_ms=20,
        )

    async def send(self, returns: Sequence[Return]) -> None:
        try:
            async with asyncio.timeout(TRANSACTION_SECONDS):
                await self._producer.begin_transaction()
                await self._fill(returns)
                await self._producer.commit_transaction()
        except _SIZES:
            raise TooLarge from None
        except Exception as error:  # its states are guarded by assertions as well
            if (refused := denied(self._cause(error), "WRITE")) is not None:
                raise refused from error
            raise BrokerError(
                f"A transaction failed ({type(error).__name__}); another `router replay` may have "
                "taken over.",
                _AGAIN,
            ) from error

    def _cause(self, error: Exception) -> BaseException:
        """What ended the transaction, where aiokafka tells that and lets a send fail of it."""
        ended = self._producer._txn_manager.wait_for_transaction_end()
        cause = ended.exception() if ended is not None and ended.done() else None
        return cause or error

    async def _fill(self, returns: Sequence[Return]) -> None:
        waiting: list[Any] = []
        try:
            for one in returns:
                waiting.append(await _send(self._producer, one.event, one.partition))
                waiting.append(await _send(self._producer, one.mark, None))
        finally:
            results = await asyncio.gather(*waiting, return_exceptions=True)
        # Each is looked at: a commit does not say that a batch of it failed.
        failures = [result for result in results if isinstance(result, BaseException)]
        for failure in sorted(failures, key=lambda one: not isinstance(one, _SIZES)):
            raise failure


class _OneByOne(_Base):
    """An event, then its mark. Killed between the two, the event is sent again by the next run;
    two runs side by side may both send."""

    name = "at-least-once"
    batch = 1

    def __init__(self, settings: Settings, broker: Capabilities) -> None:
        super().__init__(settings)
        self._idempotent = broker.idempotent

    async def claim(self) -> None:
        await self._start(enable_idempotence=self._idempotent)

    async def send(self, returns: Sequence[Return]) -> None:
        try:
            async with asyncio.timeout(self._settings.request_timeout):
                for one in returns:
                    await (await _send(self._producer, one.event, one.partition))
                    await (await _send(self._producer, one.mark, None))
        except _SIZES:
            raise TooLarge from None
        except (KafkaError, TimeoutError) as error:
            if (refused := denied(error, "WRITE")) is not None:
                raise refused from error
            raise BrokerError(
                f"The broker did not take a record ({type(error).__name__}).", _AGAIN
            ) from error


async def whole(sending: Coroutine[None, None, None]) -> asyncio.CancelledError | None:
    """Wait for ``sending`` to its end, which its own limit bounds, even when interrupted: half
    would not be seen by anybody, and nobody could tell whether all was. Gives the interruption."""
    task = asyncio.ensure_future(sending)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError as interruption:
        await asyncio.wait({task})
        if isinstance(task.exception(), TooLarge):  # taken back, and not to be tried in parts now
            raise
        task.result()
        return interruption
    return None


async def _send(producer: Any, record: OutRecord, partition: int | None) -> Any:
    return await producer.send(
        record.topic,
        record.value,
        key=record.key,
        partition=partition,
        headers=list(record.headers),
    )


def transactional_id(settings: Settings) -> str:
    """The same for everyone who sends this topic's dead letters again."""
    return f"router-replay/{settings.topics().dead_letter}"
