"""Records that nobody decided and that are gone: the topic's retention outran the group.

aiokafka would go on at the beginning of what is left and say nothing. Here the worker stops and
says what is missing; an operator who has seen to that lets it go on with ``ROUTER_ON_EXPIRED``.
"""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from router.errors import ExpiredError
from router.settings import OnExpired
from router.stream.partition import TopicPartition
from router.stream.reader import Gone, Placed

_FIX = (
    "Nobody decided them. See why the group fell behind, or what deleted them; then start once "
    "with ROUTER_ON_EXPIRED=continue to go on with what is left."
)

_log = structlog.get_logger("router.stream")


def check_placed(placed: Mapping[TopicPartition, Placed], on_expired: OnExpired) -> None:
    """At an assignment: is what the group committed still the next record?

    Raises:
        ExpiredError: it is not, and ``on_expired`` is to stop; names every such partition.
    """
    missing = [
        _missing(tp, place.committed, place.position)
        for tp, place in sorted(placed.items())
        if place.committed is not None and place.committed < place.position
    ]
    _stop_or_say(missing, on_expired)


def check_gone(tp: TopicPartition, gone: Gone, on_expired: OnExpired) -> None:
    """In mid-stream: the position is out of range.

    Raises:
        ExpiredError: ``on_expired`` is to stop.
    """
    if gone.position < gone.first:
        missing = _missing(tp, gone.position, gone.first)
    else:
        missing = (
            f"{tp.topic}/{tp.partition} ends at offset {gone.end}, before {gone.position}, which "
            "was to be read next: it was made anew or cut back"
        )
    _stop_or_say([missing], on_expired)


def _missing(tp: TopicPartition, position: int, first: int) -> str:
    return (
        f"{first - position} records of {tp.topic}/{tp.partition} are gone: {position} was to be "
        f"read next, and the first there is now is {first}"
    )


def _stop_or_say(missing: list[str], on_expired: OnExpired) -> None:
    if not missing:
        return
    if on_expired == "stop":
        raise ExpiredError(f"{'; '.join(missing)}.", _FIX)
    for one in missing:
        _log.error("records expired unread", problem=one)
