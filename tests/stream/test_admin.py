"""Topics made and described on each broker."""

from __future__ import annotations

import pytest

from router.errors import BrokerError
from router.settings import Settings
from router.stream.admin import differences, open_admin
from router.stream.topic_list import wanted_topics
from tests.conftest import Broker
from tests.kafka import Cluster, leash


async def test_missing_topics_are_made_and_existing_ones_left(
    broker: Broker, topic_prefix: str
) -> None:
    settings = Settings(broker=broker.bootstrap, topic_prefix=topic_prefix)
    specs = wanted_topics(settings, ("fraud", "cards"), partitions=2)
    names = [spec.name for spec in specs]
    async with open_admin(settings) as admin:
        assert await admin.describe(names) == {}
        await admin.create(specs[:2])
        assert sorted(await admin.describe(names)) == sorted(names[:2])
        await admin.create(specs)
        found = await admin.describe(names)
    assert set(found) == set(names)
    assert {(one.partitions, one.replication) for one in found.values()} == {(2, 1)}
    assert [one for spec in specs for one in differences(spec, found[spec.name])] == []


async def test_asking_for_a_topic_does_not_make_it(broker: Broker, topic_prefix: str) -> None:
    settings = Settings(broker=broker.bootstrap)
    async with open_admin(settings) as admin:
        for _ in range(2):
            assert await admin.describe([f"{topic_prefix}absent"]) == {}


@pytest.mark.kafka
async def test_what_the_broker_refuses_is_told_with_the_topic(
    kafka: Cluster, topic_prefix: str
) -> None:
    settings = Settings(broker=kafka.bootstrap, topic_prefix=topic_prefix)
    specs = wanted_topics(settings, (), replication=3)
    with pytest.raises(BrokerError, match=f"refuses topic {specs[0].name}") as refused:
        async with open_admin(settings) as admin:
            await admin.create(specs[:1])
    assert refused.value.fix


async def test_an_absent_broker_is_told_with_its_address() -> None:
    address = f"127.0.0.1:{leash.free_ports(1)[0]}"
    with pytest.raises(BrokerError, match=f"No broker answers at {address}"):
        async with open_admin(Settings(broker=address, request_timeout=5)):
            pytest.fail("it opened")
