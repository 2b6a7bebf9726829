"""What the broker can do, found out by asking it."""

from __future__ import annotations

import asyncio

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import IncompatibleBrokerVersion, KafkaError
from aiokafka.protocol.transaction import InitProducerIdRequest

from router.errors import BrokerError
from router.settings import Settings
from router.stream.security import client_options

_NOT_YET = frozenset({7, 14, 15, 16})  # timed out, loading, no coordinator, another coordinator
_PAUSE = 0.1
_TRANSACTION_MS = 60_000


async def has_idempotent_producers(settings: Settings) -> bool:
    """Whether the broker gives out producer ids, without which there are neither idempotent
    producers nor transactions.

    It asks for one: Tansu's ApiVersions names the request, and its answer to it is an error.

    Raises:
        BrokerError: the broker cannot be reached, or does not answer in time.
    """
    client = AIOKafkaClient(
        bootstrap_servers=settings.broker,
        client_id="router-features",
        request_timeout_ms=int(settings.request_timeout * 1000),
        **client_options(settings),
    )
    try:
        async with asyncio.timeout(settings.request_timeout):
            await client.bootstrap()
            while (code := await _asked(client)) in _NOT_YET:  # noqa: ASYNC110 - remote state
                await asyncio.sleep(_PAUSE)
    except (KafkaError, OSError, TimeoutError) as error:
        raise BrokerError(
            f"No broker answers at {settings.broker}.",
            "See whether it runs, and ROUTER_BROKER and ROUTER_SECURITY_PROTOCOL.",
        ) from error
    finally:
        await client.close()
    return code == 0


async def _asked(client: AIOKafkaClient) -> int:
    """The error code of the answer; of a broker that does not know the request, no zero."""
    request = InitProducerIdRequest(None, _TRANSACTION_MS)
    try:
        answer = await client.send(client.get_random_node(), request)
    except (NotImplementedError, IncompatibleBrokerVersion):  # no version in common
        return -1
    return int(answer.error_code)
