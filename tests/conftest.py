"""Fixtures that every part of the tests may ask for: brokers, and names of one's own on them."""

from __future__ import annotations

import os
import uuid
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import pytest

from router.demo.broker import EmbeddedBroker
from tests.kafka import Cluster, Unavailable, jars

REQUIRE = "TESTS_REQUIRE_ALL"
_running: list[Cluster] = []


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker to test against. ``kind`` is ``kafka`` or ``tansu``."""

    kind: str
    bootstrap: str


def pytest_collection_finish(session: pytest.Session) -> None:
    """Fetch Kafka before the first test, so that no test's time limit pays for it; where it is
    not to be had, skip what needs it with the reason, or refuse to run where it is required."""
    items = [item for item in session.items if item.get_closest_marker("kafka")]
    if not items or session.config.option.collectonly:
        return
    try:
        jars.java()
        jars.jars()
    except Unavailable as reason:
        if os.environ.get(REQUIRE) == "1":
            raise pytest.UsageError(f"{REQUIRE}=1: {reason}") from None
        for item in items:
            item.add_marker(pytest.mark.skip(reason=str(reason)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the end of Kafka's own log beside a failure."""
    report = yield
    if report.failed and item.get_closest_marker("kafka"):
        report.sections += [("Kafka's log", cluster.log_tail()) for cluster in _running]
    return report


def _cluster(
    paths: pytest.TempPathFactory,
    *,
    nodes: int = 1,
    secured: bool = False,
    authorized: bool = False,
) -> Iterator[Cluster]:
    try:
        made = Cluster(paths.mktemp("kafka"), nodes=nodes, secured=secured, authorized=authorized)
    except Unavailable as reason:
        if os.environ.get(REQUIRE) == "1":
            pytest.fail(f"{REQUIRE}=1: {reason}")
        pytest.skip(str(reason))
    with made as cluster:
        _running.append(cluster)
        try:
            yield cluster
        finally:
            _running.remove(cluster)


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One Kafka node for the whole run; leave it running, and use topics of your own on it."""
    yield from _cluster(tmp_path_factory)


@pytest.fixture(scope="module")
def own_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One Kafka node of the module's own, to stop, kill and restart."""
    yield from _cluster(tmp_path_factory)


@pytest.fixture(scope="module")
def own_kafka_of_three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Three nodes of the module's own, replication 3, at least two in sync."""
    yield from _cluster(tmp_path_factory, nodes=3)


@pytest.fixture(scope="module")
def secured_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One node of the module's own that has a listener with TLS and SASL beside the plain one."""
    yield from _cluster(tmp_path_factory, secured=True)


@pytest.fixture(scope="module")
def guarded_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """As ``secured_kafka``, and by the secured listener nothing is allowed without an ACL."""
    yield from _cluster(tmp_path_factory, secured=True, authorized=True)


@pytest.fixture(scope="session")
def tansu() -> Iterator[Broker]:
    """The demo's embedded broker, in memory, for the whole run."""
    with EmbeddedBroker() as embedded:
        yield Broker("tansu", embedded.address)


@pytest.fixture(
    params=[
        pytest.param("tansu", marks=pytest.mark.tansu),
        pytest.param("kafka", marks=pytest.mark.kafka),
    ]
)
def broker(request: pytest.FixtureRequest) -> Broker:
    """Each broker that the router supports, in turn."""
    if request.param == "tansu":
        embedded: Broker = request.getfixturevalue("tansu")
        return embedded
    cluster: Cluster = request.getfixturevalue("kafka")
    return Broker("kafka", cluster.bootstrap)


@pytest.fixture
def topic_prefix() -> str:
    """A prefix that no other test's topics carry (``ROUTER_TOPIC_PREFIX``)."""
    return f"t{uuid.uuid4().hex[:10]}."


@pytest.fixture
def group() -> str:
    """A consumer group that no other test joins (``ROUTER_GROUP``)."""
    return f"g{uuid.uuid4().hex[:10]}"
