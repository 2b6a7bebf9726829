"""``python -m tests.bench.baselines.fast_stream``: FastStream, at least once, over aiokafka.

By its documentation: a batch subscriber that acknowledges after the work (`AckPolicy.ACK`), and
``publish_batch``, its fast way. That puts a batch into one partition whatever the keys, so order
within a conversation is not kept as the router keeps it, and drops a record's own headers: the
comparison is in its favour. A decoder of one's own leaves the bytes as they are. It offers no
transactions.
"""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from typing import Any

from faststream import AckPolicy, Context, FastStream
from faststream.kafka import KafkaBroker, KafkaPublishMessage

from router.core.record import OutRecord
from router.settings import Settings, load_settings
from router.stream.producers import BATCH_BYTES
from tests.bench.baselines.incoming import record_of
from tests.bench.work import Work, work_of

_WAIT_MS = 50


async def _as_it_is(message: Any) -> Any:
    return message.body


def make_app(settings: Settings, work: Work) -> FastStream:
    """The app, not started."""
    broker = KafkaBroker(
        settings.broker,
        acks="all",
        enable_idempotence=True,
        max_batch_size=2 * BATCH_BYTES,
        allow_auto_create_topics=False,
        log_level=30,
    )

    @broker.subscriber(  # type: ignore[untyped-decorator]  # its types may not be installed
        *settings.topics().inputs,
        batch=True,
        group_id=settings.group,
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.ACK,
        max_records=settings.batch_records // 2,  # what comes of them must fit one batch
        batch_timeout_ms=_WAIT_MS,
        decoder=_as_it_is,
    )
    async def route(bodies: list[bytes], message: Any = Context()) -> None:  # noqa: B008 - its way
        del bodies
        by_topic: dict[str, list[OutRecord]] = defaultdict(list)
        for output in work([record_of(record) for record in message.raw_message]):
            by_topic[output.topic].append(output)
        await asyncio.gather(
            *(
                broker.publish_batch(
                    *(KafkaPublishMessage(one.value, key=one.key) for one in outputs), topic=topic
                )
                for topic, outputs in by_topic.items()
            )
        )

    return FastStream(broker)


def main() -> None:
    settings = load_settings(os.environ)
    app = make_app(settings, work_of(os.environ["BENCH_LOAD"], settings))
    asyncio.run(app.run())


if __name__ == "__main__":
    main()
