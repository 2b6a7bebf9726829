"""A warm broker with inputs that wait to be worked through, and outputs of each run's own."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from aiokafka.admin import AIOKafkaAdminClient

from router.core.topics import Topics
from router.settings import Settings
from router.stream.admin import open_admin
from router.stream.topic_list import TopicSpec, wanted_topics
from tests.bench.cases import Case, Load, Text
from tests.bench.loading import Placed, pour
from tests.bench.processes import Running
from tests.bench.texts import Message, messages
from tests.bench.tokenizer import live_tokens
from tests.bench.usage import pin
from tests.integration.traffic import QUEUES
from tests.kafka import Cluster

_OUTPUTS = {
    "message.timestamp.type": "LogAppendTime",
    "segment.bytes": str(64 * 1024 * 1024),
    "file.delete.delay.ms": "1000",
}
"""The broker's own stamps, and the memory back soon after a run."""


@dataclass(frozen=True, slots=True)
class Names:
    """One run's topics; ``environ`` is what a program needs to join."""

    settings: Settings
    environ: Mapping[str, str]

    @property
    def topics(self) -> Topics:
        return self.settings.topics()

    def readable(self, load: Load) -> str:
        """The topic that gets one record for each input."""
        return self.topics.review if load == "copy" else self.topics.decisions


class Stand:
    """``waiting`` is how many messages of each load wait on its inputs; ``model`` is a bundle to
    measure in place of the live one. Two stands on one cluster need ``inputs`` of their own;
    ``more`` is what each program is told beside the rest."""

    def __init__(
        self,
        cluster: Cluster,
        folder: Path,
        waiting: Mapping[Load, int],
        model: str = "",
        *,
        queues: Sequence[str] = QUEUES,
        inputs: str = "in",
        more: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._cluster = cluster
        self.folder = folder
        self.broker = cluster.bootstrap
        self.waiting = waiting
        self.model = model
        self._queues = queues
        self._inputs = inputs
        self._more = more
        self._cores = sorted(os.sched_getaffinity(0))
        self._messages: dict[Text, list[Message]] = {}
        self._filled: dict[tuple[str, str], int] = {}

    def messages(self, text: Text) -> list[Message]:
        """The different ones of this length."""
        if text not in self._messages:
            self._messages[text] = messages(text, live_tokens(Settings(model=self.model)))
        return self._messages[text]

    def place(self, load: Load, running: Sequence[Running]) -> None:
        """With a model to ask, a worker has a core, and broker and sender the last one; else all
        share all, since what is measured is how well they do together."""
        alone = load == "live"
        for pid in (os.getpid(), *(node.pid for node in self._cluster.nodes)):
            pin(pid, self._cores[-1:] if alone else self._cores)
        for number, one in enumerate(running):
            core = self._cores[number % len(self._cores)]
            pin(one.pid, [core] if alone else self._cores)

    @asynccontextmanager
    async def names(self, case: Case, *, fresh: bool = False) -> AsyncIterator[Names]:
        """Topics for one run of ``case``; its inputs are filled and shared between runs, or
        ``fresh`` and empty."""
        run = uuid.uuid4().hex[:8]
        inputs = f"{self._inputs}.{run if fresh else f'{case.text}.{case.partitions}'}"
        names = _names(self, inputs, run, case, self._more)
        specs = [
            replace(spec, configs=dict(spec.configs) | _OUTPUTS) if spec.role not in _IN else spec
            for spec in wanted_topics(names.settings, self._queues, partitions=case.partitions)
        ]
        if not fresh:
            await self._fill(case, names, [spec for spec in specs if spec.role in _IN])
        made = [spec for spec in specs if fresh or spec.role not in _IN]
        await _create(names.settings, made)
        try:
            yield names
        finally:
            await _delete(self.broker, [spec.name for spec in made])

    async def _fill(self, case: Case, names: Names, specs: list[TopicSpec]) -> None:
        """Once for each text and number of partitions, and more where a load wants more."""
        place = (names.topics.chat, names.topics.email)
        count = self.waiting[case.load]
        have = self._filled.get(place)
        if have is None:
            await _create(names.settings, specs)
        if (have or 0) < count:
            await pour(self.broker, self._records(case, names.topics, range(have or 0, count)))
            self._filled[place] = count

    def _records(self, case: Case, topics: Topics, numbers: range) -> Iterator[Placed]:
        some = self.messages(case.text)
        for number in numbers:
            message = some[number % len(some)]
            topic = topics.email if message.channel == "email" else topics.chat
            partition = message.conversation % case.partitions
            yield Placed(topic, partition, message.key, message.value(number))


_IN = frozenset({"chat", "email"})


def _names(stand: Stand, inputs: str, run: str, case: Case, more: Mapping[str, str]) -> Names:
    named = {
        "broker": stand.broker,
        "model": stand.model,
        "group": f"g{run}",
        "delivery": case.delivery,
        "topic_chat": f"{inputs}.chat",
        "topic_email": f"{inputs}.email",
        "topic_queue": f"{run}.queue.{{queue}}",
        "topic_review": f"{run}.review",
        "topic_decisions": f"{run}.decisions",
        "topic_dead_letter": f"{run}.dead-letter",
        "topic_feedback": f"{run}.feedback",
        "topic_replays": f"{run}.replays",
    }
    environ = {f"ROUTER_{name.upper()}": value for name, value in named.items()} | dict(more)
    return Names(Settings(**named), environ)  # type: ignore[arg-type]  # named as the fields are


async def _create(settings: Settings, specs: list[TopicSpec]) -> None:
    async with open_admin(settings) as admin:
        await admin.create(specs)


async def _delete(broker: str, topics: list[str]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker)
    await admin.start()
    try:
        await asyncio.wait_for(admin.delete_topics(topics), 30)
    finally:
        await admin.close()
