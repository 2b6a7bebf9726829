"""Decisions and refusals as the records to publish. Names and headers are in ``schemas/``."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache

import orjson

from router.core.decision import Decision
from router.core.event import Event, Rejected
from router.core.record import Headers, InRecord, OutRecord
from router.core.topics import IGNORED, Topics

TOO_LARGE_KEEPS = 64 * 1024
"""Bytes of a too large value that its dead letter keeps."""

REPLAYED_AT = "router-replayed-at"
REPLAYED_FROM = "router-replayed-from"
"""An input that was a dead letter before says so, and so does its next dead letter."""

KEPT_HEADERS_BYTES = 16 * 1024
"""A dead letter carries the input's own headers on, as long as they are not larger than this."""

_VERSION = ("ce_specversion", b"1.0")
_SOURCE = ("ce_source", b"urn:router")
_JSON = ("content-type", b"application/json")
_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_TRACESTATE = re.compile(rb"[\x20-\x7e]{1,512}")
_ATTEMPTS = re.compile(rb"[1-9][0-9]{0,8}")
_TRAIL = {
    REPLAYED_AT: re.compile(rb"[0-9T:.-]{19,26}Z"),
    REPLAYED_FROM: re.compile(rb"[A-Za-z0-9._-]{1,249}(/[0-9]{1,19}){2}"),
}


def decision_records(
    decision: Decision, event: Event, headers: Headers, topics: Topics
) -> tuple[OutRecord, ...]:
    """The decision for the log and, unless it is ignored, with its event for those who answer.

    ``headers`` are the input's: its trace context goes through.

    Raises:
        orjson.JSONEncodeError: a string of the decision is not valid Unicode.
    """
    value = orjson.dumps(decision, option=orjson.OPT_UTC_Z)
    key = decision.conversation_id.encode()
    out_headers = _cloud_event(decision) + _trace(headers)
    log = OutRecord(topics.decisions, key, value, out_headers)
    if decision.queue == IGNORED:
        return (log,)
    # Spliced, so that the event goes on byte for byte and is not written a second time.
    with_event = b'%b,"message":%b}' % (value[:-1], event.raw)
    return (OutRecord(topics.of_queue(decision.queue), key, with_event, out_headers), log)


def dead_letter(rejected: Rejected, record: InRecord, at: datetime, topics: Topics) -> OutRecord:
    """The refused record with its own key and bytes (of a too large value the beginning), its own
    headers, and why it was refused."""
    value = record.value
    extra: Headers = ()
    if rejected.reason == "too_large" and value is not None:
        extra = (("router-size", b"%d" % len(value)),)
        value = value[:TOO_LARGE_KEEPS]
    headers: Headers = (
        ("router-reason", rejected.reason.encode()),
        ("router-field", rejected.field.encode(errors="replace")),
        ("router-detail", rejected.detail.encode(errors="replace")),
        ("router-source-topic", record.source.topic.encode()),
        ("router-source-partition", b"%d" % record.source.partition),
        ("router-source-offset", b"%d" % record.source.offset),
        ("router-time", rfc3339(at)),
        ("router-attempts", _attempts(record.headers)),
    )
    headers = (*_kept(record.headers), *headers, *_trail(record.headers), *extra)
    return OutRecord(topics.dead_letter, record.key, value, headers)


def _cloud_event(decision: Decision) -> Headers:
    return (
        _VERSION,
        ("ce_id", decision.decision_id.encode()),
        _SOURCE,
        ("ce_type", decision.schema.encode()),
        ("ce_subject", decision.queue.encode()),
        ("ce_time", rfc3339(decision.decided_at)),
        _JSON,
    )


def _trace(headers: Headers) -> Headers:
    """The W3C trace context, where it is well formed; a bad one would be spread, not mended."""
    parent = _first(headers, "traceparent")
    if parent is None or not _TRACEPARENT.fullmatch(parent):
        return ()
    state = _first(headers, "tracestate")
    if state is None or not _TRACESTATE.fullmatch(state):
        return (("traceparent", parent),)
    return (("traceparent", parent), ("tracestate", state))


def _attempts(headers: Headers) -> bytes:
    given = _first(headers, "router-attempts")
    return given if given is not None and _ATTEMPTS.fullmatch(given) else b"1"


def _trail(headers: Headers) -> Headers:
    found = ((name, _first(headers, name), form) for name, form in _TRAIL.items())
    return tuple((name, value) for name, value, form in found if value and form.fullmatch(value))


def _kept(headers: Headers) -> Headers:
    kept = tuple((name, value) for name, value in headers if not name.startswith("router-"))
    size = sum(len(name) + len(value or b"") for name, value in kept)
    return kept if size <= KEPT_HEADERS_BYTES else _trace(headers)


def _first(headers: Headers, name: str) -> bytes | None:
    for given, value in headers:
        if given == name:
            return value
    return None


@lru_cache(maxsize=4)
def rfc3339(time: datetime) -> bytes:
    """A header's time, in UTC. A batch's records have the same."""
    return orjson.dumps(time, option=orjson.OPT_UTC_Z)[1:-1]
