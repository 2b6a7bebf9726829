"""The doctor finds what is wrong, says what to do, and fails when it must."""

from __future__ import annotations

import json
import shutil
import socket
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from router.cli.main import run
from router.resources import DEFAULT_POLICY, MODELS
from router.settings import Settings
from tests.conftest import Broker


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for spec in fields(Settings):
        monkeypatch.delenv("ROUTER_" + spec.name.upper(), raising=False)
    monkeypatch.setenv("ROUTER_METRICS_PORT", "0")


def findings(capsys: pytest.CaptureFixture[str], *args: str, code: int) -> dict[str, Any]:
    """By check; of several the worst."""
    assert run(["doctor", "--json", *args]) == code
    answer = json.loads(capsys.readouterr().out)
    assert answer["ok"] is (code == 0)
    order = ("ok", "warn", "fail")
    return {
        one["check"]: one for one in sorted(answer["checks"], key=lambda c: order.index(c["level"]))
    }


def test_what_ships_with_the_package_is_sound(capsys: pytest.CaptureFixture[str]) -> None:
    found = findings(capsys, "--no-broker", code=0)
    assert {check: one["level"] for check, one in found.items()} == dict.fromkeys(
        ["settings", "schemas", "policy", "model", "policy and model", "metrics port"], "ok"
    )


def test_people_get_a_line_a_check_and_a_sum(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--no-broker"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("ok    settings: ")
    assert lines[-1] == "6 ok, 0 to look at, 0 failed."


def test_a_model_with_one_byte_changed_fails(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    live = json.loads((MODELS / "live.json").read_text())["live"]
    bundle = tmp_path / "bundle"
    shutil.copytree(MODELS.joinpath(*live.split("@")), bundle)
    labels = bundle / "labels.json"
    labels.write_bytes(labels.read_bytes().replace(b"a", b"b", 1))
    monkeypatch.setenv("ROUTER_MODEL", str(bundle))
    found = findings(capsys, "--no-broker", code=1)
    assert found["model"]["level"] == "fail"
    assert "labels.json" in found["model"]["says"]
    assert found["policy"]["level"] == "ok"


def test_a_broken_policy_fails_and_one_of_another_model_is_worth_a_look(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.yaml"
    monkeypatch.setenv("ROUTER_POLICY", str(policy))
    policy.write_text("queues: 5\n")
    assert findings(capsys, "--no-broker", code=1)["policy"]["level"] == "fail"
    policy.write_text(DEFAULT_POLICY.read_text().replace("card_arrival", "card_arriving"))
    found = findings(capsys, "--no-broker", code=0)
    assert found["policy and model"]["level"] == "warn"


def test_a_wrong_setting_is_the_only_answer(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROUTER_DELIVERY", "twice")
    found = findings(capsys, code=1)
    assert list(found) == ["settings"]
    assert "ROUTER_DELIVERY" in found["settings"]["says"]


def test_a_taken_port_and_a_misspelt_variable_are_worth_a_look(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("ROUTER_METRICS_PORT", str(taken.getsockname()[1]))
        monkeypatch.setenv("ROUTER_GRUOP", "x")
        found = findings(capsys, "--no-broker", code=0)
    assert found["metrics port"]["level"] == "warn"
    assert "ROUTER_METRICS_PORT" in found["metrics port"]["fix"]
    assert "ROUTER_GRUOP" in found["settings"]["says"]


def test_no_broker_fails_with_what_to_look_at_and_no_library_speaks(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("ROUTER_BROKER", f"127.0.0.1:{port}")
    assert run(["doctor", "--json"]) == 1
    out, err = capfd.readouterr()
    broker = json.loads(out)["checks"][-1]
    assert (broker["check"], broker["level"]) == ("broker", "fail")
    assert "ROUTER_BROKER" in broker["fix"]
    assert err == ""


def test_topics_are_missed_until_they_are_made(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    broker: Broker,
    topic_prefix: str,
) -> None:
    monkeypatch.setenv("ROUTER_BROKER", broker.bootstrap)
    monkeypatch.setenv("ROUTER_TOPIC_PREFIX", topic_prefix)
    found = findings(capsys, code=1)
    assert (found["broker"]["level"], found["topics"]["level"]) == ("ok", "fail")
    assert f"{topic_prefix}messages.chat" in found["topics"]["says"]
    assert "router topics create" in found["topics"]["fix"]
    assert run(["topics", "create", "--partitions", "1"]) == 0
    capsys.readouterr()
    found = findings(capsys, code=0)
    assert found["topics"]["level"] != "fail"


def test_a_guarantee_that_is_not_to_be_had_fails(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tansu: Broker,
) -> None:
    monkeypatch.setenv("ROUTER_BROKER", tansu.bootstrap)
    monkeypatch.setenv("ROUTER_DELIVERY", "exactly-once")
    assert findings(capsys, code=1)["delivery"]["level"] == "fail"
