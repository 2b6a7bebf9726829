"""Logs: structlog for ours, and the standard library's bridged into the same output.

JSON where a machine reads, a console form on a terminal. What may not be written, and how it is
kept out, is in ``redaction``.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from router.ops.exceptions import render
from router.ops.redaction import foreign_words, without_secrets, without_text
from router.ops.repeats import Repeats
from router.settings import Settings

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
_FIRST = ("time", "level", "logger", "event")


def configure_logging(settings: Settings, stream: TextIO | None = None) -> None:
    """Send every log line to ``stream`` (standard error) from now on; may be called again.

    Faust must be told to leave logging alone, else it takes over.
    """
    out = stream or sys.stderr
    level = _LEVELS[settings.log_level]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        without_secrets,
    ]
    if settings.log_text:
        shared.append(structlog.processors.format_exc_info)
    else:
        shared += [without_text, _exception_without_values]
    last: list[Processor] = [_ordered, _renderer(settings, out)]
    structlog.configure(
        processors=[_name, *shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *names: _Lines(out, names[0] if names else "router"),
        cache_logger_on_first_use=False,
    )
    _bridge(out, level, [_foreign(settings.log_text), *shared], last)


@contextmanager
def quiet_client() -> Iterator[None]:
    """For a command that tells in its own words what the client would say of each retry, and the
    event loop of a task that a second Ctrl-C ended."""
    loggers = [logging.getLogger(name) for name in ("aiokafka", "asyncio")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


class _Lines:
    """Writes whole lines, one write a line, so that threads do not mix theirs."""

    def __init__(self, out: TextIO, name: str) -> None:
        self._out = out
        self.name = name

    def msg(self, line: str) -> None:
        self._out.write(line + "\n")
        self._out.flush()

    debug = info = warning = error = critical = exception = fatal = log = msg


class _BridgeHandler(logging.StreamHandler[TextIO]):
    """Ours, to be told from handlers that others put on the root logger."""


def _bridge(out: TextIO, level: int, chain: list[Processor], last: list[Processor]) -> None:
    handler = _BridgeHandler(out)
    handler.addFilter(Repeats())
    drop_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=chain,
            processors=[drop_meta, *last],
            use_get_message=False,
            pass_foreign_args=True,  # unmerged, so that each can be judged
        )
    )
    root = logging.getLogger()
    for old in list(root.handlers):
        if isinstance(old, _BridgeHandler):
            root.removeHandler(old)
    root.addHandler(handler)
    # Never below warning: aiokafka writes whole requests, values and passwords, at debug.
    root.setLevel(max(level, logging.WARNING))
    logging.captureWarnings(True)


def _renderer(settings: Settings, out: TextIO) -> Processor:
    if settings.log_format == "console" or (settings.log_format == "auto" and out.isatty()):
        return structlog.dev.ConsoleRenderer(
            colors=out.isatty(),
            timestamp_key="time",
            exception_formatter=structlog.dev.plain_traceback,
        )
    return structlog.processors.JSONRenderer()  # ASCII alone: no id can break an output's encoding


def _name(logger: WrappedLogger, _: str, event: EventDict) -> EventDict:
    event["logger"] = logger.name
    return event


def _foreign(trusted: bool) -> Processor:
    def process(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        record: logging.LogRecord = event["_record"]
        event["logger"] = record.name
        args = event.pop("positional_args", ())
        event["event"] = foreign_words(record, args, trusted=trusted)
        if repeated := getattr(record, "repeated", 0):
            event["repeated"] = repeated
        return event

    return process


def _exception_without_values(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    given: Any = event.pop("exc_info", None)
    if given is True:
        given = sys.exc_info()
    error = given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["exception"] = render(error)
    return event


def _ordered(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    ordered = {key: event[key] for key in _FIRST if key in event}
    ordered.update(event)
    return ordered
