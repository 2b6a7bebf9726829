"""What `router settings` shows, and what it must not."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest

from router.cli.main import run
from router.settings import Settings


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for spec in fields(Settings):
        monkeypatch.delenv("ROUTER_" + spec.name.upper(), raising=False)


def test_each_variable_is_a_line_with_value_default_and_meaning(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ROUTER_BROKER", "kafka-1:9092")
    assert run(["settings"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + len(fields(Settings))
    row = next(line for line in lines if line.startswith("ROUTER_BROKER\t"))
    assert row.split("\t")[1:3] == ["kafka-1:9092", "127.0.0.1:9092"]


@pytest.mark.parametrize("how", [["settings"], ["settings", "--json"]])
def test_a_secret_is_shown_as_set(
    how: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ROUTER_SASL_PASSWORD", "hushhush")
    assert run(how) == 0
    out = capsys.readouterr().out
    assert "hushhush" not in out
    assert "not set" in out


def test_json_has_the_same_for_machines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ROUTER_BATCH_RECORDS", "17")
    monkeypatch.setenv("ROUTER_GRUOP", "x")
    assert run(["settings", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    rows = {row["variable"]: row for row in answer["settings"]}
    assert rows["ROUTER_BATCH_RECORDS"]["value"] == 17
    assert rows["ROUTER_BATCH_RECORDS"]["changed"] is True
    assert rows["ROUTER_GROUP"]["changed"] is False
    assert answer["unknown"] == ["ROUTER_GRUOP"]


def test_a_misspelt_variable_is_told_and_a_wrong_one_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ROUTER_GRUOP", "x")
    assert run(["settings", "--check"]) == 0
    assert "ROUTER_GRUOP is set and is no setting" in capsys.readouterr().err
    monkeypatch.setenv("ROUTER_DELIVERY", "twice")
    assert run(["settings", "--check"]) == 2
    assert "ROUTER_DELIVERY must be one of" in capsys.readouterr().err
