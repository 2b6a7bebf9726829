"""The demo from start to end: broker, topics, worker, traffic, outcomes, and nothing left."""

from __future__ import annotations

import asyncio
import secrets
import signal
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any

from aiokafka.errors import KafkaError

from router.demo.broken import broken_records
from router.demo.broker import EmbeddedBroker
from router.demo.corpus import conversations
from router.demo.course import Course
from router.demo.schedule import plan
from router.demo.screen import Screen
from router.demo.summary import Summary
from router.demo.worker import Worker
from router.errors import BrokerError
from router.ops.logging import quiet_client
from router.settings import Settings

_SHORTEST_SESSION = 6.0
"""Tansu answers a group's first member after half of its session timeout."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """``broker`` None: the embedded one. ``topic_prefix`` None: a fresh one."""

    events: int
    seconds: float
    seed: int
    broker: str | None
    topic_prefix: str | None


def run_demo(
    options: Options, settings: Settings, queues: Sequence[str], screen: Screen
) -> Summary:
    """Run it to its end; whatever happens, no process, file or topic of its own is left.

    Raises:
        RouterError: the broker, the topics or the worker failed.
        KeyboardInterrupt: Ctrl-C, or SIGTERM, after everything was put away.
    """
    name = f"router-demo-{secrets.token_hex(3)}"
    with _terminable(), quiet_client(), ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="router-demo-")))
        broker = None
        if options.broker is None:
            screen.say("starting the embedded broker")
            broker = stack.enter_context(EmbeddedBroker())
            settings = _embedded(settings, broker.address)
        else:
            prefix = f"{name}." if options.topic_prefix is None else options.topic_prefix
            settings = replace(settings, broker=options.broker, topic_prefix=prefix)
            screen.say(f"on {options.broker}: group {name}, topics {prefix}*")
        settings = replace(
            settings,
            group=name,
            instance="",
            metrics_host="127.0.0.1",
            metrics_port=0,
            log_format="json",
            log_level="info",
            log_text=False,
        )
        planned = plan(
            conversations(),
            broken_records(settings.max_event_bytes),
            events=options.events,
            seconds=options.seconds,
            seed=options.seed,
        )
        course = Course(
            settings=settings,
            queues=queues,
            planned=planned,
            seed=options.seed,
            worker=stack.enter_context(Worker(settings, folder)),
            broker=broker,
            screen=screen,
            fresh=options.topic_prefix is None,
            remove=options.broker is not None and options.topic_prefix is None,
        )
        try:
            return asyncio.run(course.run())
        except (KafkaError, BrokerError) as error:
            if broker is not None:
                broker.check()  # a broker that died says more than its clients
            if isinstance(error, BrokerError):
                raise
            raise BrokerError(
                f"The broker at {settings.broker} failed: {type(error).__name__}.",
                "`router doctor` looks further.",
            ) from error


def _embedded(settings: Settings, address: str) -> Settings:
    """The user's settings on the embedded broker, which has neither TLS nor SASL nor others."""
    return replace(
        settings,
        broker=address,
        topic_prefix="",
        session_timeout=_SHORTEST_SESSION,
        delivery="auto",
        security_protocol="PLAINTEXT",
        tls_cert_file="",
        tls_key_file="",
    )


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM and a terminal that closes leave as Ctrl-C does, so that nothing is left behind; also
    where a shell that started it in the background has Ctrl-C ignored. Under nohup the terminal may
    close."""
    ways: dict[signal.Signals, Callable[[int, FrameType | None], Any]] = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGTERM: _as_ctrl_c,
    }
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        ways[signal.SIGHUP] = _as_ctrl_c
    before = {one: signal.signal(one, way) for one, way in ways.items()}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _as_ctrl_c(number: int, frame: FrameType | None) -> None:
    del number, frame
    signal.raise_signal(signal.SIGINT)
