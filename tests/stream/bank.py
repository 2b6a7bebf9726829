"""A small bank of topics on a broker, worker processes, and what they left behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from router.core.topics import Topics
from router.settings import Settings

ROOT = Path(__file__).parents[2]


class Worker:
    """One worker process, its log read from a file. Killed at the end of the block."""

    def __init__(self, bank: Bank, **variables: str) -> None:
        self._log = tempfile.NamedTemporaryFile("w+", suffix=".log")  # noqa: SIM115  # closed below
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ROUTER_")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.stream.run_echo"],
            cwd=ROOT,
            env={**kept, **bank.variables, **variables},
            stdout=self._log,
            stderr=self._log,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._log.close()

    def log(self) -> list[dict[str, Any]]:
        lines = Path(self._log.name).read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def text(self) -> str:
        return Path(self._log.name).read_text()

    def event(self, name: str) -> dict[str, Any] | None:
        return next((line for line in self.log() if line["event"] == name), None)

    def wait_for(self, event: str, within: float = 60.0) -> dict[str, Any]:
        deadline = time.monotonic() + within
        while (found := self.event(event)) is None:
            assert self._process.poll() is None, self.text()
            assert time.monotonic() < deadline, self.text()
            time.sleep(0.02)
        return found

    def get(self, path: str) -> str:
        port = self.wait_for("starting")["metrics_port"]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return str(answer.read().decode())

    async def is_ready(self) -> bool:
        try:
            return bool(self.get("/readyz"))
        except urllib.error.HTTPError:
            return False

    def metrics(self) -> dict[str, float]:
        lines = [line for line in self.get("/metrics").splitlines() if not line.startswith("#")]
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def tell(self, number: int = signal.SIGTERM) -> None:
        self._process.send_signal(number)

    def code(self, within: float = 60.0) -> int:
        return self._process.wait(within)

    def stop(self, within: float = 60.0) -> int:
        self.tell()
        return self.code(within)


class Bank:
    """The topics of one prefix on one broker, and one group."""

    def __init__(self, bootstrap: str, prefix: str, group: str) -> None:
        self.bootstrap = bootstrap
        self.group = group
        self.topics: Topics = Settings(topic_prefix=prefix).topics()
        self.variables = {
            "ROUTER_BROKER": bootstrap,
            "ROUTER_TOPIC_PREFIX": prefix,
            "ROUTER_GROUP": group,
            "ROUTER_METRICS_PORT": "0",
            "ROUTER_LOG_FORMAT": "json",
        }

    def worker(self, **variables: str) -> Worker:
        return Worker(self, **variables)

    async def open(
        self, partitions: int = 2, configs: Mapping[str, Mapping[str, str]] | None = None
    ) -> None:
        """Make the topics; ``configs`` by topic."""
        names = [*self.topics.inputs, *self.topics.outputs(())]
        async with self.admin() as admin:
            given = configs or {}
            await admin.create_topics(
                [NewTopic(n, partitions, 1, topic_configs=dict(given.get(n, {}))) for n in names]
            )

    @asynccontextmanager
    async def admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            yield admin
        finally:
            await admin.close()

    async def emit(self, values: Sequence[tuple[bytes | None, bytes | None]]) -> None:
        """Keys and values to the chat topic, in order."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self.bootstrap, linger_ms=5, max_request_size=20_000_000
        )
        await producer.start()
        try:
            sends = [await producer.send(self.topics.chat, value, key=key) for key, value in values]
            await asyncio.gather(*sends)
        finally:
            await producer.stop()

    async def read(self, topic: str) -> list[Any]:
        """All that stands on a topic now, partition by partition."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap, isolation_level="read_committed"
        )
        await consumer.start()
        found: list[Any] = []
        try:
            await consumer._client._wait_on_metadata(topic)
            numbers = sorted(consumer.partitions_for_topic(topic) or ())
            partitions = [TopicPartition(topic, number) for number in numbers]
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            ends = await consumer.end_offsets(partitions)
            async with asyncio.timeout(30):
                while any([await consumer.position(tp) < ends[tp] for tp in partitions]):
                    for records in (await consumer.getmany(timeout_ms=200)).values():
                        found += records
        finally:
            await consumer.stop()
        return found

    async def committed(self) -> dict[str, int]:
        """The group's offset of each input partition that has one, as ``topic/partition``."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap, group_id=self.group, enable_auto_commit=False
        )
        await consumer.start()
        try:
            found = {}
            for topic in self.topics.inputs:
                await consumer._client._wait_on_metadata(topic)
                for number in sorted(consumer.partitions_for_topic(topic) or ()):
                    offset = await consumer.committed(TopicPartition(topic, number))
                    if offset is not None:
                        found[f"{topic}/{number}"] = offset
            return found
        finally:
            await consumer.stop()

    async def ends(self) -> dict[str, int]:
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap)
        await consumer.start()
        try:
            await consumer._client._wait_on_metadata(self.topics.chat)
            partitions = consumer.partitions_for_topic(self.topics.chat) or set()
            ends = await consumer.end_offsets(
                [TopicPartition(self.topics.chat, n) for n in sorted(partitions)]
            )
        finally:
            await consumer.stop()
        return {f"{tp.topic}/{tp.partition}": end for tp, end in ends.items() if end}

    async def done(self, within: float = 60.0) -> None:
        """Wait until the group has committed all of the chat topic."""
        ends = await self.ends()
        await eventually(self._has_committed(ends), within)

    def _has_committed(self, ends: Mapping[str, int]) -> Callable[[], Any]:
        async def check() -> bool:
            committed = await self.committed()
            return all(committed.get(tp, 0) >= end for tp, end in ends.items())

        return check


async def eventually(condition: Callable[[], Any], within: float = 30.0) -> None:
    """Until the awaited ``condition`` holds."""
    async with asyncio.timeout(within):
        while not await condition():  # noqa: ASYNC110  # a broker tells nobody
            await asyncio.sleep(0.1)


def sources(records: Sequence[Any]) -> list[str]:
    """Which input each record was made from."""
    return [dict(record.headers)["source"].decode() for record in records]
