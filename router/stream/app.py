"""The Faust app: our transport under it, one agent in it, and nothing of it that listens or writes.

Faust owns the group, the rebalance, the assignment, start and stop.
"""

from __future__ import annotations

from typing import Any, cast

import faust
from faust.transport.drivers.aiokafka import Transport as FaustTransport
from yarl import URL

from router.core.topics import Topics
from router.stream.assignor import SteadyAssignor
from router.stream.capabilities import Capabilities
from router.stream.consumer import BatchConsumer
from router.stream.lanes import Lane, Lanes, SliceWork
from router.stream.partition import Partition
from router.stream.producers import BatchProducer
from router.stream.runtime import Runtime

COMMIT_SECONDS = 1.0
"""How often what is published is committed: so much is routed again after a kill."""


class BatchTransport(FaustTransport):
    """Faust's transport with our consumer and producer."""

    Consumer = BatchConsumer
    Producer = BatchProducer

    def __init__(self, urls: list[URL], app: Any, runtime: Runtime, broker: Capabilities) -> None:
        super().__init__(urls, app)
        self.runtime = runtime
        self.settings = runtime.settings
        self.idempotent = broker.idempotent
        self.assignor = SteadyAssignor(broker.partitions)


class StreamApp(faust.App):
    """A Faust app that leaves no folders behind."""

    def _create_directories(self) -> None:
        """Faust's tables would need them; there are none."""


def make_app(runtime: Runtime, topics: Topics, broker: Capabilities) -> StreamApp:
    """An app that hands every batch to ``runtime.lanes``; not started."""
    settings = runtime.settings
    urls = [URL(f"kafka://{address.strip()}") for address in settings.broker.split(",")]
    wait = max(settings.session_timeout, settings.request_timeout)
    app = StreamApp(
        settings.group,
        broker=urls,
        autodiscover=False,
        web_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        table_standby_replicas=0,
        broker_commit_interval=COMMIT_SECONDS,
        broker_session_timeout=settings.session_timeout,
        # Above our own limit on taking partitions over: Faust's ends its recovery in silence.
        broker_request_timeout=wait + 30,
        key_serializer="raw",
        value_serializer="raw",
    )
    transport = BatchTransport(urls, app, runtime, broker)
    app.transport = transport
    app.producer_transport = transport
    _add_agent(app, runtime, topics)
    return app


def make_lanes(runtime: Runtime, app: StreamApp, work: SliceWork) -> Lanes:
    """Lanes that do ``work`` and tell the app's consumer of room."""

    def lane(partition: Partition) -> Lane:
        return Lane(partition, work, runtime.pace.records, consumer_of(app).freed, runtime.fail)

    return Lanes(lane)


def consumer_of(app: StreamApp) -> BatchConsumer:
    """The app's consumer, as what it is."""
    return cast(BatchConsumer, app.consumer)


def producer_of(app: StreamApp) -> BatchProducer:
    """The app's producer, as what it is."""
    return cast(BatchProducer, app.producer)


def _add_agent(app: StreamApp, runtime: Runtime, topics: Topics) -> None:
    inputs = app.topic(*topics.inputs, key_serializer="raw", value_serializer="raw")

    # Concurrency stays 1: more would let a batch overtake the one before it.
    @app.agent(inputs, name="route")
    async def route(stream: Any) -> None:
        try:
            async for event in stream.noack().events():
                for batch in event.message.batches:
                    runtime.lanes.put(batch)
        except Exception as error:  # an agent that ends would be restarted, its batch lost
            runtime.fail(error)
            raise
