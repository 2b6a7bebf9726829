"""Logs are JSON lines without a customer's words, whoever wrote them."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import warnings
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
import structlog
from aiokafka.errors import UnknownTopicOrPartitionError
from hypothesis import given
from hypothesis import strategies as st

from router.errors import BrokerError
from router.ops.exceptions import render
from router.ops.logging import configure_logging
from router.ops.redaction import safe
from router.settings import Settings

WORDS = "my card 4111 1111 was stolen"
SECRET = {"sasl_password": "hush"}


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


def configured(**changes: Any) -> io.StringIO:
    out = io.StringIO()
    configure_logging(Settings(**changes), out)
    return out


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_an_event_is_one_json_line_with_time_level_logger_and_fields() -> None:
    out = configured()
    structlog.get_logger("router.stream").info("decided", event_id="e1", queue="cards")
    (line,) = lines(out)
    assert list(line) == ["time", "level", "logger", "event", "event_id", "queue"]
    assert (line["logger"], line["level"], line["queue"]) == ("router.stream", "info", "cards")
    stamp = datetime.fromisoformat(line["time"])
    assert line["time"].endswith("Z")
    assert stamp.tzinfo is not None


def test_customer_text_and_secrets_are_withheld_by_key() -> None:
    out = configured()
    structlog.get_logger().warning("x", text=WORDS, subject=WORDS, **SECRET)
    (line,) = lines(out)
    assert (line["text"], line["subject"], line["sasl_password"]) == ("[withheld]",) * 3


def test_a_time_spent_on_tokens_is_no_secret() -> None:
    out = configured()
    structlog.get_logger().info("x", tokenise_seconds=0.5)
    assert lines(out)[0]["tokenise_seconds"] == 0.5


@given(st.binary(min_size=1))
def test_bytes_are_told_by_their_number(value: bytes) -> None:
    assert safe({"record": [value]}) == {"record": [f"[{len(value)} bytes]"]}


def test_text_is_written_when_asked_for_and_secrets_even_then_not() -> None:
    out = configured(log_text=True)
    structlog.get_logger().info("x", text=WORDS, **SECRET)
    (line,) = lines(out)
    assert line["text"] == WORDS
    assert [line[key] for key in SECRET] == ["[withheld]"]


def fail_on_words() -> None:
    int(WORDS)


def test_an_exception_is_told_by_type_and_place_and_not_by_its_words() -> None:
    out = configured()
    try:
        fail_on_words()
    except ValueError:
        structlog.get_logger().exception("batch failed")
    (line,) = lines(out)
    assert WORDS not in out.getvalue()
    assert line["exception"].startswith("ValueError\n")
    assert "in fail_on_words" in line["exception"]


def test_a_chain_and_a_group_are_told_without_words() -> None:
    try:
        try:
            fail_on_words()
        except ValueError as error:
            raise BrokerError("The broker is gone.", "Start it.") from error
    except BrokerError as error:
        told = render(ExceptionGroup(WORDS, [error, KeyError(WORDS)])) + render(error)
    assert WORDS not in told
    assert "BrokerError: The broker is gone. Start it." in told
    assert "caused by ValueError" in told
    assert "KeyError" in told


def test_a_broker_error_keeps_its_words() -> None:
    assert "[Error 3]" in render(UnknownTopicOrPartitionError())


def test_libraries_write_to_the_same_place_from_warning_up() -> None:
    out = configured(log_level="debug")
    logging.getLogger("aiokafka.conn").debug("request %r", WORDS)
    logging.getLogger("aiokafka.client").warning("Unable to reach %s:%s", "kafka-1", 9092)
    (line,) = lines(out)
    assert line["event"] == "Unable to reach kafka-1:9092"
    assert (line["logger"], line["level"]) == ("aiokafka.client", "warning")


def test_libraries_values_are_kept_out_by_type() -> None:
    out = configured()
    log = logging.getLogger("faust.transport.consumer")
    log.error("Drain messages raised: %r", ValueError(WORDS))
    log.error("Cannot take %r for %(x)s", {"x": WORDS.encode()})
    log.error("A record: %s", [{"value": WORDS.encode()}])
    logging.getLogger("faust.topics").error(f"_on_published error message {WORDS}")
    assert WORDS not in out.getvalue()
    assert len(lines(out)) == 4


def test_a_task_that_died_unseen_shows_its_error_without_words() -> None:
    out = configured()

    async def main() -> None:
        asyncio.get_running_loop().call_exception_handler(
            {
                "message": f"Exception in callback handle({WORDS!r})",
                "exception": ValueError(WORDS),
                "task": WORDS,
            }
        )

    asyncio.run(main())
    (line,) = lines(out)
    assert WORDS not in out.getvalue()
    assert line["event"] == "Exception in callback handle"
    assert line["exception"] == "ValueError"


def test_python_warnings_are_log_lines() -> None:
    out = configured()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", stacklevel=1)
    assert lines(out)[0]["logger"] == "py.warnings"


def test_an_id_cannot_forge_a_line_nor_break_the_output() -> None:
    out = configured(log_format="console")
    structlog.get_logger().info("decided", event_id='e\n{"level": "error"}\x1b[31m')
    assert len(out.getvalue().splitlines()) == 1
    assert "\x1b" not in out.getvalue()
    out = configured()
    structlog.get_logger().info("decided", event_id="\ud800")
    out.getvalue().encode()


def test_the_level_is_obeyed_and_configuring_again_does_not_double_lines() -> None:
    configured()
    out = configured(log_level="error")
    structlog.get_logger().info("quiet")
    logging.getLogger("aiokafka").error("loud")
    assert [line["event"] for line in lines(out)] == ["loud"]
