"""`router worker` before it meets a broker; its runs are in tests/stream and tests/integration."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from router.cli.main import run


def test_help_has_an_example_and_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["worker", "--help"]) == 0
    out = capsys.readouterr().out
    assert "ROUTER_BROKER=" in out
    assert "Exit codes" in out


def test_a_wrong_setting_is_wrong_usage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ROUTER_BATCH_RECORDS", "many")
    assert run(["worker"]) == 2
    assert "ROUTER_BATCH_RECORDS" in capsys.readouterr().err


def test_a_bundle_that_is_not_there_leaves_with_the_reason() -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ROUTER_")}
    done = subprocess.run(
        [sys.executable, "-m", "router", "worker"],
        env={**kept, "ROUTER_MODEL": "no-such-bundle@9", "ROUTER_METRICS_PORT": "0"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 4
    last = json.loads(done.stderr.splitlines()[-1])
    assert "no-such-bundle" in last["problem"]
    assert last["exit_code"] == 4
