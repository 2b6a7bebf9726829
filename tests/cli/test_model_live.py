"""`router model shadow` and `canary` as a person or a script runs them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from router.cli.main import run
from router.model.live import Canary, Live, Past, read_live, write_live
from tests.model.gate_bundles import POLICY, bundle, write_rows

BEFORE = Live("tiny@1", history=(Past("tiny@0", "2026-01-02T03:04:05Z"),))


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the setting; its live.json is read back with `live_of`."""
    folder = tmp_path / "models"
    for version in ("1", "2"):
        bundle(folder / "tiny" / version, {"lost": "lost_card"})
    write_live(folder / "live.json", BEFORE)
    monkeypatch.setenv("ROUTER_MODELS", str(folder))
    return folder


def live_of(models: Path) -> Live:
    return read_live(models / "live.json")


def pass_gate(models: Path) -> None:
    rows = write_rows(models.parent / "rows.jsonl", [{"text": "lost", "label": "lost_card"}] * 40)
    (policy := models.parent / "policy.yaml").write_text(POLICY)
    files = ["--data", str(rows), "--policy", str(policy), "--slower", "1000"]
    assert run(["model", "gate", "tiny@2", "--against", "tiny@1", *files]) == 0


@pytest.mark.parametrize("command", ["shadow", "canary"])
def test_help_has_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["model", command, "--help"]) == 0
    assert f"router model {command} --off" in capsys.readouterr().out


def test_a_shadow_needs_no_gate_and_leaves_the_rest_as_it_was(
    models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["model", "shadow", "tiny@2"]) == 0
    assert "Shadow is tiny@2." in capsys.readouterr().out
    assert live_of(models) == Live("tiny@1", shadow="tiny@2", history=BEFORE.history)
    assert run(["model", "shadow", "--off"]) == 0
    assert live_of(models) == BEFORE


def test_a_canary_needs_a_passed_gate(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["model", "canary", "tiny@2", "--share", "0.05"]) == 1
    assert "no gate" in capsys.readouterr().err
    assert live_of(models) == BEFORE
    pass_gate(models)
    capsys.readouterr()
    assert run(["model", "canary", "tiny@2", "--share", "0.05", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {
        "live": "tiny@1",
        "canary": {"model": "tiny@2", "share": 0.05},
        "shadow": None,
    }
    assert live_of(models).canary == Canary("tiny@2", 0.05)
    assert run(["model", "canary", "--off"]) == 0
    assert live_of(models) == BEFORE


def test_a_bundle_that_does_not_load_is_put_nowhere(models: Path) -> None:
    (models / "tiny" / "2" / "labels.json").write_text("{}")
    assert run(["model", "shadow", "tiny@2"]) == 4
    assert run(["model", "canary", "tiny@2", "--share", "0.5"]) == 4
    assert live_of(models) == BEFORE


@pytest.mark.parametrize(
    "words",
    [
        ["shadow"],
        ["shadow", "tiny@2", "--off"],
        ["canary", "tiny@2"],
        ["canary", "--off", "--share", "0.5"],
        ["canary", "tiny@2", "--share", "0"],
        ["canary", "tiny@2", "--share", "1.5"],
    ],
    ids=" ".join,
)
def test_what_contradicts_itself_is_wrong_usage(models: Path, words: list[str]) -> None:
    assert run(["model", *words]) == 2
    assert live_of(models) == BEFORE
