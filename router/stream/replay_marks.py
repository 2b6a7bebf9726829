"""Which dead letters were sent again already, as the topic of marks says."""

from __future__ import annotations

import asyncio
import time

from router.core.record import Source
from router.core.replaying import Mark, read_mark
from router.errors import BrokerError
from router.settings import Settings
from router.stream.admin import TopicState
from router.stream.replay_log import Progress, open_log
from router.stream.topic_list import wanted_topics

Marks = dict[Source, Mark]
"""By the dead letter's coordinates."""

_POLL = 0.1


async def read_marks(
    settings: Settings, partitions: int, progress: Progress, *, settled: bool
) -> Marks:
    """All marks. ``settled`` waits for what is in the air to be there or taken back; needed by
    who will send, after the claim.

    Raises:
        BrokerError: it does not settle, or the broker does not answer.
    """
    asked = {settings.topics().replays: partitions}
    marks: Marks = {}
    async with open_log(settings) as log:
        held = await log.ranges(asked)
        if settled:
            async with open_log(settings, committed=False) as everything:
                tops = await everything.ranges(asked)
            deadline = time.monotonic() + settings.request_timeout
            while any(held[place][1] < tops[place][1] for place in tops):
                if time.monotonic() > deadline:
                    raise BrokerError(
                        f"A transaction on {settings.topics().replays} stays open.",
                        "Nothing was sent. See who else writes to this topic.",
                    )
                await asyncio.sleep(_POLL)
                held = await log.ranges(asked)
        for place, part in held.items():
            async for records in log.read(place, part):
                found = (read_mark(record) for record in records)
                marks.update({mark.at: mark for mark in found if mark})
                progress("marks read", len(records))
    return marks


def marked_since(settings: Settings, topic: TopicState | None, now: float) -> float:
    """Since when every mark is kept, seconds since the epoch. Where the broker does not tell us
    the topic's retention it is taken to be the list's."""
    if topic is None:
        return 0.0
    listed = next(one for one in wanted_topics(settings, ()) if one.role == "replays")
    kept = int(topic.configs.get("retention.ms", listed.configs["retention.ms"]))
    return now - kept / 1000 if kept >= 0 else 0.0
