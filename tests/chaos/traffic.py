"""Numbered, keyed events at a constant rate, and the broker's word on each."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from dataclasses import dataclass
from typing import Any

import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from router.core.topics import Topics
from tests.chaos.history import Produced

CONVERSATIONS = 120
_WORDS = (
    "My card has not come",
    "somebody stole my card",
    "the payment hangs",
    "it broke",
    "mumble",
)
_TICK = 0.02
_GIVES_UP_AFTER = 90.0


@dataclass(frozen=True, slots=True)
class Event:
    email: bool
    conversation: str
    value: bytes


def event(seed: int, number: int) -> Event:
    """The same for the same arguments; one in fifty is no event, one in thirty not a customer's."""
    dice = random.Random(f"{seed}/{number}")  # noqa: S311 - reproducible, not secret
    conversation = dice.randrange(CONVERSATIONS)
    email, name = conversation % 3 == 0, f"c{conversation}"
    body: dict[str, Any] = {
        "event_id": str(number),
        "time": "2026-01-05T08:00:00Z",
        "thread_id" if email else "conversation_id": name,
        "body_text" if email else "text": f"{dice.choice(_WORDS)}, number {number}",
    }
    if email:
        body["subject"] = "A question"
    if dice.random() < 1 / 30:
        body["author"] = "bot"
    if dice.random() < 1 / 50:
        del body["time"]
    return Event(email, name, orjson.dumps(body))


def number_of(value: bytes) -> int:
    """Which of the events an input record is."""
    return int(orjson.loads(value)["event_id"])


class Traffic:
    """Produces from a thread of its own between ``start`` and ``stop``."""

    def __init__(self, bootstrap: str, topics: Topics, seed: int, rate: float) -> None:
        self._bootstrap = bootstrap
        self._topics = topics
        self._seed = seed
        self._rate = rate
        self._stopping = threading.Event()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="traffic", daemon=True)
        self.produced: list[Produced] = []
        """Complete after ``stop``."""

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Wait until each event is acknowledged or given up.

        Raises:
            RuntimeError: the producer failed, or does not end.
        """
        self._stopping.set()
        self._thread.join(_GIVES_UP_AFTER + 60)
        if self._thread.is_alive() or self._failed:
            raise RuntimeError("The producer of the events did not come to its end.") from (
                self._failed
            )

    def _run(self) -> None:
        try:
            asyncio.run(self._produce())
        except BaseException as error:
            self._failed = error

    async def _produce(self) -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            client_id="traffic",
            acks="all",
            enable_idempotence=True,
            linger_ms=2,
            request_timeout_ms=int(_GIVES_UP_AFTER * 1000),
        )
        await producer.start()
        try:
            sent = await self._send(producer)
            await asyncio.wait(sent, timeout=_GIVES_UP_AFTER)
            self.produced = [Produced(n, _acked(one)) for n, one in enumerate(sent)]
        finally:
            await producer.stop()

    async def _send(self, producer: AIOKafkaProducer) -> list[asyncio.Future[Any]]:
        sent: list[asyncio.Future[Any]] = []
        began = time.monotonic()
        while not self._stopping.is_set():
            due = int((time.monotonic() - began) * self._rate)
            while len(sent) < due:
                one = event(self._seed, len(sent))
                topic = self._topics.email if one.email else self._topics.chat
                sent.append(await _sent(producer, topic, one.value, key=one.conversation.encode()))
            await asyncio.sleep(_TICK)
        return sent


async def _sent(producer: AIOKafkaProducer, *args: Any, **named: Any) -> asyncio.Future[Any]:
    try:
        future: asyncio.Future[Any] = await producer.send(*args, **named)
    except KafkaError as error:  # it never left: that is known, too
        future = asyncio.get_running_loop().create_future()
        future.set_exception(error)
    return future


def _acked(future: asyncio.Future[Any]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None
