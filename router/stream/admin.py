"""Topics on the broker: see what there is, make what is missing, alter and delete nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaConnectionError, KafkaError, for_code

from router.errors import BrokerError
from router.settings import Settings
from router.stream.refusals import refusal
from router.stream.security import client_options
from router.stream.topic_list import TopicSpec

_EXISTS = 36
_POLL = 0.1
_REPLICATION = 3
_INPUTS = frozenset({"chat", "email"})
"""Where a smaller limit refuses an event to its sender, who then knows; nothing gets stuck."""


@dataclass(frozen=True, slots=True)
class TopicState:
    """A topic as it is. ``configs`` holds what the broker tells, defaults included."""

    name: str
    partitions: int
    replication: int
    configs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """Where an existing topic is not as wanted. ``harmful``: records would get stuck or lost."""

    topic: str
    setting: str
    found: str
    wanted: str
    harmful: bool


class TopicAdmin:
    """Questions to one broker; made by ``open_admin``. Every method raises BrokerError."""

    def __init__(self, client: AIOKafkaAdminClient, settings: Settings) -> None:
        self._client = client
        self._broker = settings.broker
        self._seconds = settings.request_timeout

    async def describe(self, names: Iterable[str]) -> dict[str, TopicState]:
        """Those of ``names`` that exist. Asks for all topics and picks: to ask for one by name
        makes it on a broker that creates topics by itself, and Tansu says yes to any name."""
        async with self._trouble():
            found = {topic["topic"]: topic["partitions"] for topic in await self._all()}
            wanted = [name for name in names if name in found]
            configs = await self._configs(wanted)
        return {
            name: TopicState(
                name,
                len(found[name]),
                min(len(one["replicas"]) for one in found[name]),
                configs.get(name, {}),
            )
            for name in wanted
        }

    async def create(self, specs: Sequence[TopicSpec]) -> None:
        """Make these topics and wait until the broker shows them; one made meanwhile by another
        is left as it is.

        Raises:
            BrokerError: the broker refuses one; names it, with the broker's reason.
        """
        async with self._trouble():
            brokers = len((await self._client.describe_cluster())["brokers"])
            answer = await self._client.create_topics([_request(one, brokers) for one in specs])
            for name, code, message in answer.topic_errors:
                if code not in (0, _EXISTS):
                    raise BrokerError(
                        f"The broker refuses topic {name}: {message or for_code(code).__name__}.",
                        "Correct --partitions, --replication or the right to create topics.",
                    )
            wanted = {one.name for one in specs}
            while not wanted <= await self._ready():  # noqa: ASYNC110 - the broker tells nobody
                await asyncio.sleep(_POLL)

    async def _ready(self) -> set[str]:
        """Topics whose every partition has a leader."""
        return {
            topic["topic"]
            for topic in await self._all()
            if all(one["leader"] >= 0 for one in topic["partitions"])
        }

    async def _all(self) -> list[dict[str, Any]]:
        topics: list[dict[str, Any]] = await self._client.describe_topics()
        return [topic for topic in topics if topic["partitions"]]

    async def _configs(self, names: Sequence[str]) -> dict[str, dict[str, str]]:
        if not names:
            return {}
        asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
        (answer,) = await self._client.describe_configs(asked)
        return {
            name: {entry[0]: entry[1] for entry in entries}
            for code, _, _, name, entries in answer.resources
            if code == 0  # without the right to see it, nothing is said to differ
        }

    @asynccontextmanager
    async def _trouble(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._seconds):
                yield
        except TimeoutError:
            raise BrokerError(
                f"The broker at {self._broker} did not answer within {self._seconds:g} s.",
                "See whether it runs; ROUTER_REQUEST_TIMEOUT is the wait.",
            ) from None
        except KafkaError as error:
            raise BrokerError(
                f"The broker at {self._broker} refuses: {type(error).__name__}.",
                "See its log, and the rights of the router's user.",
            ) from error


@asynccontextmanager
async def open_admin(settings: Settings) -> AsyncIterator[TopicAdmin]:
    """A connection for as long as the block lasts.

    Raises:
        BrokerError: the broker cannot be reached, or refuses us.
        SettingsError: a TLS setting is wrong.
    """
    client = AIOKafkaAdminClient(
        bootstrap_servers=settings.broker,
        client_id="router-admin",
        request_timeout_ms=int(settings.request_timeout * 1000),
        **client_options(settings),
    )
    try:
        try:
            async with asyncio.timeout(settings.request_timeout):
                await client.start()
                if not client._client.cluster.brokers():
                    raise KafkaConnectionError  # it has not let us in: see ``refusals``
        except (KafkaError, OSError, TimeoutError) as error:
            if (refused := await refusal(settings)) is not None:
                raise refused from error
            raise BrokerError(
                f"No broker answers at {settings.broker}.",
                "See whether it runs, and ROUTER_BROKER, ROUTER_SECURITY_PROTOCOL and the "
                "ROUTER_TLS_* and ROUTER_SASL_* settings.",
            ) from error
        yield TopicAdmin(client, settings)
    finally:
        await client.close()


def differences(spec: TopicSpec, state: TopicState) -> tuple[Difference, ...]:
    """Where ``state`` is not as ``spec`` wants it; more room, partitions or copies than wanted
    is no difference."""
    counts = (
        ("partitions", state.partitions, spec.partitions),
        ("replication", state.replication, spec.replication or 0),
    )
    found = [
        Difference(state.name, setting, str(have), str(want), harmful=False)
        for setting, have, want in counts
        if have < want
    ]
    for setting, wanted in spec.configs.items():
        value = state.configs.get(setting)
        if value is not None and not _fits(setting, value, wanted):
            harmful = setting == "cleanup.policy" or (
                setting == "max.message.bytes" and spec.role not in _INPUTS
            )
            found.append(Difference(state.name, setting, value, wanted, harmful=harmful))
    return tuple(found)


def _fits(setting: str, have: str, want: str) -> bool:
    if setting == "max.message.bytes":
        return int(have) >= int(want)
    if setting == "retention.ms":
        return int(have) < 0 or int(have) >= int(want)
    return have == want


def _request(spec: TopicSpec, brokers: int) -> NewTopic:
    replication = spec.replication or min(_REPLICATION, brokers)
    configs = dict(spec.configs)
    if replication >= _REPLICATION:
        configs["min.insync.replicas"] = "2"
    return NewTopic(spec.name, spec.partitions, replication, topic_configs=configs)
