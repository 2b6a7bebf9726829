"""A library that says one thing a thousand times is written down once."""

from __future__ import annotations

import io
import json
import logging

import structlog

from router.ops.logging import configure_logging
from router.ops.repeats import Repeats
from router.settings import Settings


def _record(message: str, *args: object, level: int = logging.WARNING) -> logging.LogRecord:
    return logging.LogRecord("aiokafka", level, __file__, 1, message, args, None)


def test_a_message_passes_once_a_window_and_then_tells_how_often_it_did_not() -> None:
    now = 100.0
    repeats = Repeats(window=5.0, now=lambda: now)
    assert repeats.filter(_record("no answer from %s", "a"))
    assert not repeats.filter(_record("no answer from %s", "b"))
    now = 104.9
    assert not repeats.filter(_record("no answer from %s", "a"))
    now = 105.0
    last = _record("no answer from %s", "a")
    assert repeats.filter(last)
    assert vars(last)["repeated"] == 2


def test_another_level_or_template_is_another_message() -> None:
    repeats = Repeats(now=lambda: 0.0)
    assert repeats.filter(_record("no answer"))
    assert repeats.filter(_record("no answer", level=logging.ERROR))
    assert repeats.filter(_record("an answer"))


def test_whole_texts_as_templates_do_not_fill_the_memory() -> None:
    repeats = Repeats(now=lambda: 0.0)
    for number in range(10_000):
        assert repeats.filter(_record(f"text {number}"))
    assert len(repeats._seen) <= 256


def test_a_storm_in_a_library_is_a_line_in_the_log() -> None:
    out = io.StringIO()
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        configure_logging(Settings(log_format="json"), out)
        for _ in range(1000):
            logging.getLogger("aiokafka.test-storm").warning("broker %s is away", "kafka-1")
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        logging.captureWarnings(False)
        structlog.reset_defaults()
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["logger"] for line in lines] == ["aiokafka.test-storm"]
