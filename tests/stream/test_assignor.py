"""What the group's leader hands out when a broker has lost sight of a topic."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from hypothesis import given
from hypothesis import strategies as st

from router.stream.assignor import SteadyAssignor

TOPICS = ("messages.chat", "messages.email")


def cluster(counts: dict[str, int]) -> Any:
    """What a broker says: a topic that it does not know has no partitions, and no answer."""
    return SimpleNamespace(
        partitions_for_topic=lambda t: set(range(counts[t])) if counts.get(t) else None
    )


def members(count: int) -> dict[str, Any]:
    return {f"w{n}": RoundRobinPartitionAssignor.metadata(TOPICS) for n in range(count)}


def handed_out(assignment: dict[str, Any]) -> list[tuple[str, int]]:
    return sorted(
        (topic, partition)
        for one in assignment.values()
        for topic, partitions in one.assignment
        for partition in partitions
    )


counts = st.fixed_dictionaries({topic: st.integers(0, 5) for topic in TOPICS})


@given(at_start=counts, looks=st.lists(counts, min_size=1, max_size=4), workers=st.integers(1, 4))
def test_every_partition_that_was_ever_seen_has_exactly_one_owner(
    at_start: dict[str, int], looks: list[dict[str, int]], workers: int
) -> None:
    assignor = SteadyAssignor(at_start)
    most = dict(at_start)
    for look in looks:
        most = {topic: max(most[topic], look[topic]) for topic in TOPICS}
        assignment = assignor.assign(cluster(look), members(workers))
        assert handed_out(assignment) == [(t, n) for t in TOPICS for n in range(most[t])]
        assert set(assignment) == set(members(workers))


def test_with_all_in_sight_it_is_plain_round_robin() -> None:
    whole = cluster({"messages.chat": 3, "messages.email": 4})
    plain = RoundRobinPartitionAssignor.assign(whole, members(2))
    assert SteadyAssignor({}).assign(whole, members(2)) == plain
    assert SteadyAssignor.name == RoundRobinPartitionAssignor.name
