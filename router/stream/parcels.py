"""A routed slice as it is published, and what becomes of a record too large for its topic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from router.core.event import Rejected
from router.core.line import Outcome
from router.core.record import Headers, InRecord, OutRecord
from router.core.records import dead_letter
from router.core.topics import Topics
from router.errors import StreamError
from router.stream.partition import Partition

_KEEPS = (64 * 1024, 1024, 0)
"""Bytes of the value that the dead letter keeps, at each further refusal. From the second on it
loses the headers it came with, at the last the key as well."""

_TOO_LARGE = Rejected(
    "too_large", "$", "The decision with its event is larger than its topic takes."
)


class RoutedSlice:
    """``outcomes`` are what really happened: a dead letter's, once a record was refused."""

    def __init__(
        self,
        partition: Partition,
        records: Sequence[InRecord],
        outcomes: Sequence[Outcome],
        topics: Topics,
    ) -> None:
        """An outcome for each of ``records``, of which there is at least one."""
        self.partition = partition
        self.outcomes = list(outcomes)
        self._records = records
        self._topics = topics
        self._tries: dict[int, int] = {}

    @property
    def name(self) -> str:
        """For the log: the partition, and its first and last offset."""
        first, last = self._records[0].source, self._records[-1].source
        return f"{first}-{last.offset}"

    @property
    def next_offset(self) -> int:
        return self._records[-1].source.offset + 1

    @property
    def outputs(self) -> Sequence[Sequence[OutRecord]]:
        return [outcome.records for outcome in self.outcomes]

    def shrink(self, place: int, refused: OutRecord) -> Sequence[OutRecord]:
        """A dead letter in place of all the outcome's records, smaller at each call."""
        tries = self._tries.get(place, 0)
        if tries == len(_KEEPS):
            raise StreamError(
                f"The topic {refused.topic} refuses even an empty record.",
                "Raise its max.message.bytes, and start the worker again.",
            )
        self._tries[place] = tries + 1
        outcome, record = self.outcomes[place], self._records[place]
        rejected = outcome.rejected or _TOO_LARGE
        whole = dead_letter(rejected, record, datetime.now(UTC), self._topics)
        records = (_cut(whole, record, tries),)
        self.outcomes[place] = replace(
            outcome, kind="dead_letter", decision=None, rejected=rejected, records=records
        )
        return records


def _cut(whole: OutRecord, record: InRecord, tries: int) -> OutRecord:
    """The dead letter ``whole`` of ``record``, after so many that were too large themselves."""
    value, keep = whole.value, _KEEPS[tries]
    headers: Headers = whole.headers
    if tries:
        headers = tuple(pair for pair in headers if pair[0].startswith("router-"))
    if value is not None and len(value) > keep:
        value = value[:keep]
        if not any(name == "router-size" for name, _ in headers):
            headers = (*headers, ("router-size", b"%d" % len(record.value or b"")))
    key = whole.key if tries + 1 < len(_KEEPS) else None
    return replace(whole, key=key, value=value, headers=headers)
