"""Ctrl-C inside a transaction: all of it or nothing is seen, and the next run does the rest."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.events import sized
from tests.stream.replay.bench import LIMIT, Bench, event_ids, send

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(120)]

HELD = """
import asyncio, signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may ignore it
from aiokafka import AIOKafkaProducer
from router.cli.interruptible import CtrlC
from router.cli.main import main
from router.stream import replay_sending
replay_sending._Transactions.batch = 2
commit = AIOKafkaProducer.commit_transaction
async def held(self):
    loop = asyncio.get_running_loop()
    told = loop.create_future()
    try:
        loop.add_reader(0, told.set_result, None)
        print("all is sent, nothing committed", flush=True)
        await told
    finally:
        loop.remove_reader(0)
    await commit(self)
AIOKafkaProducer.commit_transaction = held
heard = CtrlC.heard
def said(self):
    print("interrupted", flush=True)
    heard(self)
CtrlC.heard = said
main(["replay", "dead-letter", "--re-emit", "--yes"])
"""


@contextmanager
def held_in_a_transaction(bench: Bench) -> Iterator[subprocess.Popen[str]]:
    """The command with three dead letters to send, two of them in an open transaction."""
    bench.traffic.emit([sized(f"large{n}", 2_000) for n in range(3)])
    bench.work(max_event_bytes=LIMIT)
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", HELD]
    with subprocess.Popen(
        command, env=dict(os.environ), stdin=pipe, stdout=pipe, stderr=pipe, text=True
    ) as process:
        try:
            said(process, "all is sent")
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str], words: str) -> None:
    assert process.stdout is not None
    assert words in process.stdout.readline()


def interrupt(process: subprocess.Popen[str]) -> None:
    """Ctrl-C, and wait until it is heard: of two signals at one moment a process may see one."""
    process.send_signal(signal.SIGINT)
    said(process, "interrupted")


def left(process: subprocess.Popen[str], given: str | None = None) -> list[str]:
    """What it told to people; it was interrupted."""
    _, told = process.communicate(given, timeout=60)
    assert process.returncode == 130, told
    return told.splitlines()


def test_what_is_in_a_transaction_goes_whole_and_the_rest_with_the_next_run(
    kafka_bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench = kafka_bench
    with held_in_a_transaction(bench) as process:
        interrupt(process)
        assert bench.sent_again() == []
        assert bench.marks() == []
        told = left(process, "go on\n")
    assert told == ["Interrupted. 2 of 3 were sent again; the same command goes on."]
    assert len(bench.sent_again()) == len(bench.marks()) == 2
    assert send(capsys)["sent"] == 1
    assert sorted(event_ids(bench.sent_again())) == ["large0", "large1", "large2"]


def test_a_second_ctrl_c_leaves_at_once_and_nothing_is_seen(
    kafka_bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench = kafka_bench
    with held_in_a_transaction(bench) as process:
        interrupt(process)
        interrupt(process)
        told = left(process)
    assert told == ["Interrupted. 0 of 3 were sent again; the same command goes on."]
    assert bench.sent_again() == []
    assert send(capsys)["sent"] == 3
    assert sorted(event_ids(bench.sent_again())) == ["large0", "large1", "large2"]
