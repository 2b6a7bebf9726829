from __future__ import annotations

import json
from pathlib import Path

import pytest

from router.cli.main import run
from tests.core.policy_fixtures import POLICY

TESTS = """\
schema: routing-policy-tests/v1
tests:
  - {name: theft, text: they stole it, expect: {queue: fraud}}
  - {name: cards, text: hello, prediction: {card_arrival: 0.9}, expect: {queue: cards}}
"""


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY)
    path.with_name("policy.tests.yaml").write_text(TESTS)
    return path


def test_a_right_policy_is_checked(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "check", str(policy)]) == 0
    assert "4 queues, 3 intents, 3 rules" in capsys.readouterr().out


def test_a_wrong_policy_is_told_line_by_line(
    policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy.write_text(POLICY.replace("otherwise: router.review", "otherwise: nowhere"))
    assert run(["policy", "check", str(policy)]) == 1
    assert f"{policy}:6:12: no queue is called nowhere" in capsys.readouterr().out


def test_problems_are_json_for_machines(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy.write_text(POLICY.replace("otherwise: router.review\n", ""))
    assert run(["policy", "check", str(policy), "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["ok"] is False
    assert answer["problems"] == [
        {"line": 1, "column": 1, "path": "$", "message": "otherwise is missing"}
    ]


def test_a_right_policy_is_json_for_machines(
    policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["policy", "check", str(policy), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["ok"], answer["name"], answer["version"]) == (True, "small", "7")


def test_the_policy_in_force_is_the_default(
    policy: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROUTER_POLICY", str(policy))
    assert run(["policy", "check"]) == 0
    assert str(policy) in capsys.readouterr().out


def test_a_policy_that_is_not_there_is_wrong_usage(
    policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["policy", "check", str(policy.with_name("absent.yaml"))]) == 2
    assert "absent.yaml cannot be read" in capsys.readouterr().err


def test_tests_that_pass_are_counted(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "test", str(policy)]) == 0
    assert "2 of 2 tests pass." in capsys.readouterr().out


def test_a_test_that_fails_shows_what_was_expected_and_what_came(
    policy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tests = tmp_path / "other.yaml"
    tests.write_text(TESTS.replace("{queue: fraud}", "{queue: vip}"))
    assert run(["policy", "test", str(policy), "--tests", str(tests)]) == 1
    out = capsys.readouterr().out
    assert "other.yaml:3 theft\tqueue\tvip\tfraud" in out
    assert "1 of 2 tests pass." in out


def test_test_results_are_json_for_machines(
    policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["policy", "test", str(policy), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["passed"], answer["failed"]) == (2, 0)
    assert [result["name"] for result in answer["results"]] == ["theft", "cards"]


def test_a_tests_file_that_is_not_there_is_named(
    policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy.with_name("policy.tests.yaml").unlink()
    assert run(["policy", "test", str(policy)]) == 2
    assert "policy.tests.yaml cannot be read" in capsys.readouterr().err


def test_queues_are_shown_as_a_table(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "show", str(policy)]) == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert rows[1] == ["fraud", "1", "15m", "0.3", "1", "1", "Theft."]


@pytest.mark.parametrize("command", ["check", "test", "show"])
def test_help_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", command, "--help"]) == 0
    assert f"router policy {command}" in capsys.readouterr().out
