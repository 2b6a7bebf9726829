"""What both commands of `router replay` are given: times, and input topics."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from router.cli.output import note
from router.core.times import utc_of
from router.errors import UsageError
from router.ops.exceptions import describe
from router.settings import Settings


class Time(click.ParamType):
    """RFC 3339, with its offset, to UTC."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        if isinstance(value, datetime):
            return value
        return utc_of(str(value)) or self.fail(
            "expected RFC 3339 with an offset, such as 2026-03-02T08:00:00Z.", param, ctx
        )


def input_topics(settings: Settings, given: tuple[str, ...]) -> tuple[str, ...]:
    """Those that were given, or all.

    Raises:
        UsageError: one is no input topic.
    """
    inputs = settings.topics().inputs
    for topic in given:
        if topic not in inputs:
            raise UsageError(f"{topic} is no input topic.", f"They are {' and '.join(inputs)}.")
    return given or inputs


def tell_fault(where: str, error: Exception) -> None:
    """A line's ``on_fault``."""
    note(f"{where}: {describe(error)}")
