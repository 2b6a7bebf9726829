"""What the broker can do, by asking it: never by its name or version."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import structlog
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, NoError, for_code
from aiokafka.protocol.admin import ApiVersionRequest
from aiokafka.protocol.transaction import InitProducerIdRequest

from router.errors import BrokerError, RefusedError
from router.settings import Settings
from router.stream.admin import open_admin
from router.stream.refusals import refusal
from router.stream.security import client_options

_TRIES = 5
_FIRST_PAUSE = 0.5
_INIT_PRODUCER_ID = 22
_TRANSACTION_APIS = frozenset({22, 24, 25, 26, 28})
"""InitProducerId, AddPartitionsToTxn, AddOffsetsToTxn, EndTxn, TxnOffsetCommit."""

_log = structlog.get_logger("router.stream")


@dataclass(frozen=True, slots=True)
class Capabilities:
    """``idempotent``: a retried batch is written once. ``transactions``: exactly once is to be
    had. ``partitions``: how many each topic has that was asked for."""

    idempotent: bool
    transactions: bool
    partitions: Mapping[str, int] = field(default_factory=dict)


async def ask_broker(settings: Settings, topics: Iterable[str]) -> Capabilities:
    """What the broker can do, once it is known to have all of ``topics``.

    Raises:
        BrokerError: it cannot be reached after several tries, it refuses us (which is tried
            once), or a topic is missing; names them.
    """
    wanted = list(topics)
    pause = _FIRST_PAUSE
    for left in reversed(range(_TRIES)):
        try:
            capabilities = await _ask(settings)
            partitions = await _partitions(settings, wanted)
            break
        except BrokerError as error:
            if not left or isinstance(error, RefusedError):
                raise
            _log.warning("broker not reached, trying again", problem=error.problem, tries=left)
            await asyncio.sleep(pause)
            pause *= 2
    if missing := [topic for topic in wanted if topic not in partitions]:
        raise BrokerError(
            f"The broker has no topic {', '.join(missing)}, or does not let us see it.",
            "Make them with `router topics create`; the worker creates none. If they are there, "
            "its user lacks a right on them: deploy/acls.md.",
        )
    return replace(capabilities, partitions=partitions)


async def _ask(settings: Settings) -> Capabilities:
    client = AIOKafkaClient(
        bootstrap_servers=settings.broker,
        client_id="router",
        request_timeout_ms=int(settings.request_timeout * 1000),
        **client_options(settings),
    )
    try:
        async with asyncio.timeout(settings.request_timeout):
            await client.bootstrap()
            answer = await client.send(client.get_random_node(), ApiVersionRequest())
            keys = frozenset(api[0] for api in answer.api_versions)
            idempotent = _INIT_PRODUCER_ID in keys and await _gives_producer_ids(client)
    except (KafkaError, OSError, TimeoutError) as error:
        if (refused := await refusal(settings)) is not None:
            raise refused from error
        raise BrokerError(
            f"No broker answers at {settings.broker} ({type(error).__name__}).",
            "See whether it runs; ROUTER_BROKER names it, ROUTER_SECURITY_PROTOCOL says how it is "
            "spoken to. `router doctor` checks both.",
        ) from error
    finally:
        await client.close()
    return Capabilities(
        idempotent=idempotent, transactions=idempotent and keys >= _TRANSACTION_APIS
    )


async def _gives_producer_ids(client: AIOKafkaClient) -> bool:
    """A broker may name the request among those it knows, and fail it all the same (Tansu)."""
    request = InitProducerIdRequest(transactional_id=None, transaction_timeout_ms=60_000)
    for _ in range(_TRIES):
        answer = await client.send(client.get_random_node(), request)
        error = for_code(answer.error_code)
        if error is NoError:
            return True
        if not error.retriable:
            return False
        await asyncio.sleep(_FIRST_PAUSE)
    return False


async def _partitions(settings: Settings, topics: list[str]) -> dict[str, int]:
    async with open_admin(settings) as admin:
        found = await admin.describe(topics)
    return {topic: state.partitions for topic, state in found.items()}
