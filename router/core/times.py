"""RFC 3339 times to UTC, without the exceptions hidden in the corners of the calendar."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_LEAP_SECOND = re.compile(r"^(.{17})60(?:\.\d+)?")


def utc_of(text: str) -> datetime | None:
    """``text`` (RFC 3339) in UTC; None where it is no time that a calendar from year 1 to 9999
    has. A leap second, which ``datetime`` lacks, becomes the last microsecond before it."""
    try:
        return datetime.fromisoformat(_LEAP_SECOND.sub(r"\g<1>59.999999", text)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
