"""The rights that ``deploy/acls.md`` lists, and how they are given to the tests' user."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest, DescribeAclsRequest

from tests.kafka.secure import USER

_PAGE = Path(__file__).parents[2] / "deploy" / "acls.md"
_RESOURCES = {"topic": 2, "group": 3, "transactional id": 5}
_PATTERNS = {"literal": 3, "prefixed": 4}
_OPERATIONS = {"READ": 3, "WRITE": 4, "DESCRIBE": 8}
_ALLOW = 3
_ANY = 1
_OURS = (_ANY, None, _ANY, f"User:{USER}", None, _ANY, _ANY)
"""A filter: all that the user was given."""


@dataclass(frozen=True, slots=True)
class Right:
    """One row of the table."""

    operation: str
    resource: str
    name: str
    pattern: str

    def __str__(self) -> str:
        return f"{self.operation} {self.resource} {self.name}"


def listed(section: str) -> list[Right]:
    """The table under this heading, for the default names."""
    _, _, text = _PAGE.read_text().partition(f"\n## {section}\n")
    rows = [line.strip("| ").split(" | ") for line in text.partition("\n## ")[0].splitlines()]
    return [
        Right(row[0], row[1], row[2].strip("`"), row[3]) for row in rows if row[0] in _OPERATIONS
    ]


def named(right: Right, prefix: str, group: str) -> Right:
    """The same for topics with ``prefix`` and the group ``group``."""
    names = {
        "topic": prefix + right.name,
        "group": group,
        "transactional id": right.name.replace("router/router/", f"router/{group}/").replace(
            "router-replay/", f"router-replay/{prefix}"
        ),
    }
    return Right(right.operation, right.resource, names[right.resource], right.pattern)


async def allow(bootstrap: str, rights: Iterable[Right]) -> None:
    """Give the user ``rights``, by a listener where anybody may do so."""
    client = AIOKafkaClient(bootstrap_servers=bootstrap)
    await client.bootstrap()
    try:
        for right in rights:
            answer = await client.send(
                client.get_random_node(),
                CreateAclsRequest(
                    _RESOURCES[right.resource],
                    right.name,
                    _PATTERNS[right.pattern],
                    f"User:{USER}",
                    "*",
                    _OPERATIONS[right.operation],
                    _ALLOW,
                ),
            )
            ((code, words),) = answer.creation_responses
            assert code == 0, words
    finally:
        await client.close()


async def allow_only(bootstrap: str, rights: Iterable[Right]) -> None:
    """Take from the user what they have and give them ``rights``; returns once that is in force."""
    wanted = list(rights)
    client = AIOKafkaClient(bootstrap_servers=bootstrap)
    await client.bootstrap()
    try:
        await client.send(client.get_random_node(), DeleteAclsRequest(*_OURS))
        await allow(bootstrap, wanted)
        given = {(one.name, _OPERATIONS[one.operation]) for one in wanted}
        async with asyncio.timeout(30):
            while await _given(client) != given:  # noqa: ASYNC110 - the broker tells nobody
                await asyncio.sleep(0.02)
    finally:
        await client.close()


async def _given(client: AIOKafkaClient) -> set[tuple[str, int]]:
    answer = await client.send(client.get_random_node(), DescribeAclsRequest(*_OURS))
    return {(name, acl[2]) for _, name, _, acls in answer.resources for acl in acls}
