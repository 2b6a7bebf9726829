"""RFC 3339 times to UTC, without the exceptions hidden in the corners of the calendar."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_LEAP_SECOND = re.compile(r"^(.{17})60(?:\.\d+)?")


def utc_of(text: str) -> datetime | None:
    """``text`` (RFC 3339) in UTC; None where it has no offset or is no time that a calendar from
    year 1 to 9999 has. A leap second, which ``datetime`` lacks, becomes the microsecond before."""
    try:
        leaps = text[17:19] == "60"
        written = _LEAP_SECOND.sub(r"\g<1>59.999999", text.upper()) if leaps else text.upper()
        time = datetime.fromisoformat(written)
        return time.astimezone(UTC) if time.tzinfo else None
    except (ValueError, OverflowError):
        return None
