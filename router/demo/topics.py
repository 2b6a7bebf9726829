"""The demo's topics: made before, and taken away where they would be left on a real broker."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiokafka.admin import AIOKafkaAdminClient

from router.settings import Settings
from router.stream.admin import open_admin
from router.stream.security import client_options
from router.stream.topic_list import wanted_topics


@asynccontextmanager
async def demo_topics(
    settings: Settings, queues: Sequence[str], *, remove: bool
) -> AsyncIterator[int]:
    """Create what is missing, give how many there are; at the end ``remove`` those created.

    Raises:
        BrokerError: the broker does not answer, or refuses.
    """
    specs = wanted_topics(settings, queues)
    async with open_admin(settings) as admin:
        found = await admin.describe(spec.name for spec in specs)
        created = [spec for spec in specs if spec.name not in found]
        if created:
            await admin.create(created)
    try:
        yield len(specs)
    finally:
        if remove and created:
            await _remove([spec.name for spec in created], settings)


async def _remove(names: Sequence[str], settings: Settings) -> None:
    client = AIOKafkaAdminClient(bootstrap_servers=settings.broker, **client_options(settings))
    try:
        await client.start()
        await client.delete_topics(list(names))
    finally:
        await client.close()
