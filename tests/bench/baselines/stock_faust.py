"""``python -m tests.bench.baselines.stock_faust``: Faust as it comes, at least once.

By its user guide: an agent that takes events in batches (``take_events``) where throughput counts
and one by one (``events``; `BENCH_STYLE=events`) where latency does, sends to a topic, and lets
every send of a batch be acknowledged before the batch is. Raw keys and values: nothing is decoded
that the work does not decode itself.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from typing import Any

import faust

from router.core.record import InRecord, Source
from router.settings import Settings, load_settings
from tests.bench.work import Work, work_of

_WITHIN = 0.05
"""Seconds until a batch that is not full is taken."""


def make_app(settings: Settings, work: Work, style: str) -> faust.App:
    """The app, not started."""
    app = faust.App(
        settings.group,
        broker=[f"kafka://{address}" for address in settings.broker.split(",")],
        key_serializer="raw",
        value_serializer="raw",
        web_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        consumer_auto_offset_reset="earliest",
        datadir=os.environ.get("BENCH_FOLDER", "."),
    )
    inputs = app.topic(*settings.topics().inputs)
    outputs: dict[str, Any] = {}

    async def do(events: Sequence[Any]) -> None:
        sent = []
        for record in work([_record_of(event) for event in events]):
            topic = outputs.get(record.topic)
            if topic is None:
                topic = outputs[record.topic] = app.topic(record.topic)
            headers: Any = list(record.headers)
            sent.append(await topic.send(key=record.key, value=record.value, headers=headers))
        await asyncio.gather(*sent)

    @app.agent(inputs)
    async def route(stream: Any) -> None:
        if style == "events":
            async for event in stream.events():
                await do([event])
        else:
            async for events in stream.take_events(settings.batch_records, within=_WITHIN):
                await do(events)

    return app


def _record_of(event: Any) -> InRecord:
    message = event.message
    source = Source(message.topic, message.partition, message.offset)
    headers = tuple(message.headers or ())
    return InRecord(source, message.key, message.value, headers, message.timestamp)


def main() -> None:
    settings = load_settings(os.environ)
    work = work_of(os.environ["BENCH_LOAD"], settings)
    app = make_app(settings, work, os.environ.get("BENCH_STYLE", ""))
    faust.Worker(app, loglevel="WARNING").execute_from_commandline()


if __name__ == "__main__":
    main()
