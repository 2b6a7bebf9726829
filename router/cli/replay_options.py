"""What both commands of `router replay` are given, and what they do around their work."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, get_args

import click
import structlog

from router.cli.output import note
from router.cli.progress import Steps
from router.core.dead_letters import is_schema_name
from router.core.event import RejectReason
from router.core.times import utc_of
from router.errors import UsageError
from router.ops.exceptions import describe
from router.ops.logging import quiet_client
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


def check_reasons(given: tuple[str, ...]) -> None:
    """See that each is a reason that this router gives.

    Raises:
        UsageError: one is not; names those that are like it, or all.
    """
    reasons = get_args(RejectReason)
    for reason in given:
        if reason not in reasons:
            near = difflib.get_close_matches(reason, reasons, n=1)
            fix = f"Did you mean {near[0]}?" if near else f"They are {', '.join(reasons)}."
            raise UsageError(f"There is no reason {reason}.", fix)


def check_schemas(given: tuple[str, ...]) -> None:
    """See that each may be a schema's name; a dead letter may have one that nobody knows.

    Raises:
        UsageError: one is not.
    """
    for schema in given:
        if not is_schema_name(schema):
            raise UsageError(f"{schema} is no schema's name.", "One is chat-message/v1.")


@contextmanager
def working(first: str, interrupted: Callable[[], str]) -> Iterator[Steps]:
    """Around questions to the broker: their course is shown, beginning with ``first``, the client
    is quiet about each of its tries, and Ctrl-C is told as ``interrupted`` says."""
    logs = structlog.get_config()
    # Ours would speak of its tries as well, and on standard output.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        with quiet_client(), Steps(first) as steps:
            yield steps
    except KeyboardInterrupt:
        note(interrupted())
        raise click.Abort from None
    finally:
        structlog.configure(**logs)


def tell_fault(where: str, error: Exception) -> None:
    """A line's ``on_fault``."""
    note(f"{where}: {describe(error)}")
