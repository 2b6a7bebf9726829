"""`router demo` as a person runs it: to its end, interrupted, and with a worker that dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.tansu,
    pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc"),
]

WITHIN = 90.0


@pytest.fixture(autouse=True)
def as_started_from_a_terminal() -> Iterator[None]:
    """Whoever runs the tests may ignore signals, and what is ignored is so in a child, too."""
    before = [
        (signal.SIGINT, signal.signal(signal.SIGINT, signal.default_int_handler)),
        (signal.SIGHUP, signal.signal(signal.SIGHUP, signal.SIG_DFL)),
    ]
    yield
    for one, handler in before:
        signal.signal(one, handler)


@contextmanager
def _demo(folder: Path, *arguments: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """The demo in a process of its own, with its temporary files in ``folder``."""
    foreign = {name: value for name, value in os.environ.items() if not name.startswith("ROUTER_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "router.cli.main", "demo", *arguments],
        env=foreign | {"TMPDIR": str(folder)} | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _processes(folder: Path) -> dict[int, str]:
    """Processes that the demo with this folder started, by id, with their command lines.

    The broker stands in the folder; the worker has it as TMPDIR."""
    found = {}
    mark = str(folder).encode()
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            environ = (process / "environ").read_bytes()
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            place = os.fsencode((process / "cwd").readlink())
        except OSError:
            continue
        if mark in environ or place.startswith(mark):
            found[int(process.name)] = words
    return found


def _assert_nothing_is_left(folder: Path) -> None:
    deadline = time.monotonic() + 10
    while _processes(folder) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _processes(folder) == {}
    assert list(folder.iterdir()) == []


def _wait_for(process: subprocess.Popen[str], words: str) -> str:
    assert process.stdout is not None
    read = ""
    for line in process.stdout:
        read += line
        if words in line:
            return read
    pytest.fail(f"ended without {words!r}: {read}{process.communicate()[1]}")


def test_a_run_accounts_for_every_record_and_leaves_nothing(tmp_path: Path) -> None:
    with _demo(tmp_path, "--events", "120", "--seconds", "2", "--json") as process:
        out, err = process.communicate(timeout=WITHIN)
    assert process.returncode == 0, err + out
    result = json.loads(out)
    outcomes = ("routed", "review", "dead_lettered", "ignored")
    assert result["ok"] is True
    assert result["consumed"] == result["emitted"] == 120
    assert sum(result[name] for name in outcomes) == 120
    assert all(result[name] > 0 for name in outcomes)
    assert sum(row["count"] for row in result["outcomes"]) == 120
    assert 0 < result["latency_seconds"]["p50"] <= result["latency_seconds"]["p99"]
    assert (result["missing"], result["faults"], result["worker_exit"]) == ([], [], 0)
    _assert_nothing_is_left(tmp_path)


def test_ctrl_c_leaves_cleanly(tmp_path: Path) -> None:
    with _demo(tmp_path, "--events", "5000", "--plain") as process:
        _wait_for(process, "decided")
        assert len(_processes(tmp_path)) >= 3
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=WITHIN)
    assert process.returncode == 130
    assert "Traceback" not in err
    _assert_nothing_is_left(tmp_path)


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGHUP])
def test_being_told_to_end_before_the_worker_is_ready_leaves_cleanly(
    tmp_path: Path, told: signal.Signals
) -> None:
    with _demo(tmp_path, "--plain") as process:
        _wait_for(process, "starting a worker")
        process.send_signal(told)
        _, err = process.communicate(timeout=WITHIN)
    assert process.returncode == 130
    assert "Traceback" not in err
    _assert_nothing_is_left(tmp_path)


def test_under_nohup_in_the_background_it_outlives_the_terminal_and_heeds_sigterm(
    tmp_path: Path,
) -> None:
    for ignored in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    with _demo(tmp_path, "--events", "5000", "--plain") as process:
        _wait_for(process, "starting a worker")
        process.send_signal(signal.SIGHUP)
        _wait_for(process, "decided")
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=WITHIN)
    assert process.returncode == 130
    assert "Traceback" not in err
    _assert_nothing_is_left(tmp_path)


@pytest.mark.parametrize(
    ("which", "words"),
    [
        (" worker", ("The worker ended by itself with exit status -9.", '"event": "ready"')),
        ("tansu", ("The embedded broker ended by itself.", "listening on")),
    ],
)
def test_a_process_that_dies_ends_the_run_with_its_last_words(
    tmp_path: Path, which: str, words: tuple[str, ...]
) -> None:
    with _demo(tmp_path, "--events", "5000", "--plain") as process:
        _wait_for(process, "decided")
        (victim,) = [pid for pid, line in _processes(tmp_path).items() if which in line]
        os.kill(victim, signal.SIGKILL)
        _, err = process.communicate(timeout=WITHIN)
    assert process.returncode == 3
    assert all(word in err for word in words), err
    assert "Traceback" not in err
    _assert_nothing_is_left(tmp_path)


def test_a_broker_that_is_not_there_is_named(tmp_path: Path) -> None:
    arguments = ("--broker", "127.0.0.1:1", "--plain")
    with _demo(tmp_path, *arguments, ROUTER_REQUEST_TIMEOUT="5") as process:
        _, err = process.communicate(timeout=WITHIN)
    assert process.returncode == 3
    assert "No broker answers at 127.0.0.1:1." in err
    _assert_nothing_is_left(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--topic-prefix", "eu."), "--topic-prefix goes with --broker."),
        (("--events", "9", "--seconds", "1", "--rate", "9"), "contradict"),
        (("--events", "0"), "--events"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    with _demo(tmp_path, *arguments) as process:
        _, err = process.communicate(timeout=WITHIN)
    assert process.returncode == 2
    assert words in err
