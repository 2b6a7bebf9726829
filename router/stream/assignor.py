"""Round robin that does not lose sight of a topic.

A broker that has just come back may say for a moment that it knows no such topic. aiokafka's
assignors then leave the topic out, and nobody has its partitions until the metadata are asked for
again, which may be minutes. Partitions are never taken from a topic: those that were seen once
are still there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor


class SteadyAssignor:
    """Used like one of aiokafka's assignor classes; the group sees plain round robin."""

    name = RoundRobinPartitionAssignor.name
    version = RoundRobinPartitionAssignor.version

    def __init__(self, partitions: Mapping[str, int]) -> None:
        """``partitions`` says how many each topic had when the worker started."""
        self._known = {topic: set(range(count)) for topic, count in partitions.items()}

    def metadata(self, topics: Iterable[str]) -> Any:
        return RoundRobinPartitionAssignor.metadata(topics)

    def assign(self, cluster: Any, members: Mapping[str, Any]) -> Any:
        """Each member's partitions, all of every topic that ``cluster`` or we know."""
        return RoundRobinPartitionAssignor.assign(_Remembered(cluster, self._known), members)

    def on_assignment(self, assignment: Any) -> None:
        """Nothing is kept of it."""


class _Remembered:
    def __init__(self, cluster: Any, known: dict[str, set[int]]) -> None:
        self._cluster = cluster
        self._known = known

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        now = self._cluster.partitions_for_topic(topic) or set()
        seen = self._known.setdefault(topic, set())
        seen |= now
        return seen or None
