"""Which topics must exist, and how each is set up; read from ``schemas/topics.yaml``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from router.resources import SCHEMAS
from router.settings import Settings
from router.stream.sizes import input_bytes, output_bytes

_DAY_MS = 24 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic as wanted. ``replication`` None: three, or as many as there are brokers."""

    name: str
    role: str
    partitions: int
    replication: int | None
    configs: Mapping[str, str]


def wanted_topics(
    settings: Settings,
    queues: Iterable[str],
    *,
    partitions: int | None = None,
    replication: int | None = None,
) -> tuple[TopicSpec, ...]:
    """Inputs first, then one for each of ``queues``, then the router's own. ``partitions`` and
    ``replication`` take the place of the list's."""
    names = _names(settings, queues)
    return tuple(
        TopicSpec(
            name=name,
            role=row["role"],
            partitions=partitions or row["partitions"],
            replication=replication,
            configs=_configs(row, settings.max_event_bytes),
        )
        for row in _rows()
        for name in names[row["role"]]
    )


def _names(settings: Settings, queues: Iterable[str]) -> dict[str, list[str]]:
    topics = settings.topics()
    return {
        "chat": [topics.chat],
        "email": [topics.email],
        "queue": [topics.of_queue(queue) for queue in queues],
        "review": [topics.review],
        "decisions": [topics.decisions],
        "dead_letter": [topics.dead_letter],
        "feedback": [topics.feedback],
        "replays": [topics.replays],
    }


def _configs(row: Mapping[str, Any], max_event_bytes: int) -> dict[str, str]:
    size = input_bytes if row["max_message"] == "input" else output_bytes
    return {
        "cleanup.policy": "delete",
        "retention.ms": str(row["retention_days"] * _DAY_MS),
        "max.message.bytes": str(size(max_event_bytes)),
    }


def _rows() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = yaml.safe_load((SCHEMAS / "topics.yaml").read_bytes())["topics"]
    return rows
