"""One outcome as it is published, and what becomes of it when its topic refuses the size."""

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

_KEEPS = (64 * 1024, 1024, 0)
"""Bytes of the value that the dead letter keeps, at each further refusal. From the second on it
loses the headers it came with, at the last the key as well."""

_TOO_LARGE = Rejected(
    "too_large", "$", "The decision with its event is larger than its topic takes."
)


class OutcomeParcel:
    """``outcome`` is what really happened: a dead letter once a record was refused."""

    def __init__(self, record: InRecord, outcome: Outcome, topics: Topics) -> None:
        self.outcome = outcome
        self._record = record
        self._topics = topics
        self._tries = 0

    @property
    def records(self) -> Sequence[OutRecord]:
        return self.outcome.records

    def shrink(self, refused: OutRecord) -> Sequence[OutRecord]:
        """A dead letter in place of all the outcome's records, smaller at each call."""
        if self._tries == len(_KEEPS):
            raise StreamError(
                f"The topic {refused.topic} refuses even an empty record.",
                "Raise its max.message.bytes, and start the worker again.",
            )
        keep = _KEEPS[self._tries]
        self._tries += 1
        rejected = self.outcome.rejected or _TOO_LARGE
        whole = dead_letter(rejected, self._record, datetime.now(UTC), self._topics)
        self.outcome = replace(
            self.outcome,
            kind="dead_letter",
            decision=None,
            rejected=rejected,
            records=(self._cut(whole, keep),),
        )
        return self.outcome.records

    def _cut(self, whole: OutRecord, keep: int) -> OutRecord:
        value = whole.value
        headers: Headers = whole.headers
        if self._tries > 1:
            headers = tuple(pair for pair in headers if pair[0].startswith("router-"))
        if value is not None and len(value) > keep:
            value = value[:keep]
            if not any(name == "router-size" for name, _ in headers):
                headers = (*headers, ("router-size", b"%d" % len(self._record.value or b"")))
        key = whole.key if self._tries < len(_KEEPS) else None
        return replace(whole, key=key, value=value, headers=headers)
