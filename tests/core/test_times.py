"""RFC 3339 to UTC, the calendar's corners included."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.core.times import utc_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-02T09:15:27+01:00", datetime(2026, 3, 2, 8, 15, 27, tzinfo=UTC)),
        ("2026-03-02t09:15:27z", datetime(2026, 3, 2, 9, 15, 27, tzinfo=UTC)),
        ("2026-03-02T09:15:27.1234567891Z", datetime(2026, 3, 2, 9, 15, 27, 123_456, tzinfo=UTC)),
        ("2026-03-02T00:00:00-00:00", datetime(2026, 3, 2, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2016, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
        ("2017-01-01T00:59:60.5+01:00", datetime(2016, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_in_utc(text: str, expected: datetime) -> None:
    assert utc_of(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02T09:15:27",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+10:00",
        "9999-12-31T23:59:59-01:00",
    ],
)
def test_what_the_calendar_lacks_is_none(text: str) -> None:
    assert utc_of(text) is None


@given(st.text() | st.from_regex(r"\A\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?Z?\Z"))
def test_any_text_gives_a_time_in_utc_or_none(text: str) -> None:
    time = utc_of(text)
    assert time is None or time.tzinfo is UTC
