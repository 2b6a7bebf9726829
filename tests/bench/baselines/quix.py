"""``python -m tests.bench.baselines.quix``: Quix Streams, which stands on ``confluent-kafka``.

By its documentation: a streaming data frame from each input, ``apply`` with ``expand`` for several
records of one, ``to_topic`` with the topic by the record's content, its checkpoints as they come
(5 s, in exactly-once processing a transaction each), bytes in and out. It processes a record at a
time and fetches and produces in librdkafka's threads; its producer is idempotent, as the router's.
Exactly once, a reader waits for a checkpoint: a second, so that a short run sees several.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from quixstreams import Application, message_context
from quixstreams.models.serializers import Serializer

from router.core.record import InRecord, OutRecord, Source
from router.settings import Settings, load_settings
from tests.bench.work import Work, work_of


class _ValueOf(Serializer):
    """An `OutRecord` as the bytes of its value."""

    def __call__(self, value: OutRecord, ctx: Any) -> bytes | None:
        del ctx
        return value.value


def make_app(settings: Settings, work: Work) -> Application:
    """The application, not started."""
    exactly_once = settings.delivery == "exactly-once"
    app = Application(
        broker_address=settings.broker,
        consumer_group=settings.group,
        auto_offset_reset="earliest",
        processing_guarantee="exactly-once" if exactly_once else "at-least-once",
        commit_interval=1.0 if exactly_once else 5.0,
        producer_extra_config={"enable.idempotence": True, "acks": "all"},
        auto_create_topics=False,
        use_changelog_topics=False,
        state_dir=os.environ.get("BENCH_FOLDER", "state"),
        loglevel="WARNING",
    )
    outputs: dict[str, Any] = {}

    def topic_of(record: OutRecord, *_: Any) -> Any:
        topic = outputs.get(record.topic)
        if topic is None:
            topic = outputs[record.topic] = app.topic(
                record.topic, key_serializer="bytes", value_serializer=_ValueOf()
            )
        return topic

    def do(value: bytes, key: bytes, timestamp: int, headers: Any) -> Sequence[OutRecord]:
        at = message_context()
        source = Source(at.topic, at.partition, at.offset)
        given = tuple(headers or ())
        return work([InRecord(source, key, value, given, timestamp / 1000)])

    for name in settings.topics().inputs:
        topic = app.topic(name, key_deserializer="bytes", value_deserializer="bytes")
        frame = app.dataframe(topic).apply(do, expand=True, metadata=True)
        frame = frame.set_headers(lambda record, *_: list(record.headers))
        frame.to_topic(topic_of, key=lambda record: record.key)
    return app


def main() -> None:
    settings = load_settings(os.environ)
    make_app(settings, work_of(os.environ["BENCH_LOAD"], settings)).run()


if __name__ == "__main__":
    main()
