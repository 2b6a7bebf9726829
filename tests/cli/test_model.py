"""`router model` as a person or a script runs it."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import click
import pytest

from router.cli.main import run
from router.cli.model import model_group
from router.cli.model_common import measure
from router.model.classifier import load_classifier
from tests.model.tiny import TinyStage, write_bundle


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    words = {"lost": (9.0, 0.0, 0.0), "fee": (0.0, 9.0, 0.0)}
    return write_bundle(tmp_path / "tiny" / "1", TinyStage("only", words))


def test_a_whole_bundle_is_verified(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["model", "verify", str(bundle), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["ok"], answer["name"], answer["version"]) == (True, "tiny", "1")


def test_a_changed_bundle_is_not(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (bundle / "labels.json").write_text("{}")
    assert run(["model", "verify", str(bundle)]) == 1
    assert "labels.json is not the file of the manifest" in capsys.readouterr().out
    assert run(["model", "verify", str(bundle), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["ok"] is False


def test_a_bundle_that_is_not_there_is_an_error_and_no_answer(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["model", "verify", "nobody@7"]) == 4
    assert "There is no model bundle nobody@7" in capsys.readouterr().err


def test_the_bundle_of_the_setting_is_the_one_that_is_shown(
    bundle: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROUTER_MODEL", str(bundle))
    assert run(["model", "show", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["name"] == "tiny"
    assert shown["intents"] == ["lost_card", "fees", "greeting"]
    assert run(["model", "show"]) == 0
    assert "tiny@1" in capsys.readouterr().out


def test_figures_for_a_manifest_name_the_data_by_its_hash(bundle: Path, tmp_path: Path) -> None:
    data = tmp_path / "rows.csv"
    data.write_text("text,label\nlost,lost_card\n")
    with click.Context(model_group) as context:
        figures = measure(context, load_classifier(bundle), data, policy="")
    assert figures["sha256"] == hashlib.sha256(data.read_bytes()).hexdigest()
    assert figures["accuracy"] == 1


def test_a_split_is_written_for_every_part(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    (data / "banking77").mkdir(parents=True)
    (data / "clinc150").mkdir()
    rows = "".join(f"text{n} word{n * 7},label{n % 2}\n" for n in range(40))
    (data / "banking77" / "train.csv").write_text(f"text,category\n{rows}")
    for name in ("train", "val", "oos_train", "oos_val"):
        lines = [json.dumps({"text": f"say {n}", "label": f"intent{n}"}) for n in range(40)]
        (data / "clinc150" / f"{name}.jsonl").write_text("\n".join(lines))
    out = tmp_path / "out"
    assert run(["model", "split", "--data", str(data), "--out", str(out)]) == 0
    names = {"train.csv", "calibration.csv", "heldout.csv", "heldout-own.csv"}
    assert {path.name for path in out.iterdir()} == names
    heldout = (out / "heldout.csv").read_text().splitlines()
    assert heldout[0] == "text,label"
    assert sum(line.endswith(("label0", "label1")) for line in heldout) == 8
    assert any(line.endswith("out_of_scope") for line in heldout)


def test_a_folder_without_the_data_is_wrong_usage_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["model", "split", "--data", str(tmp_path), "--out", str(tmp_path / "out")]
    assert run(arguments) == 2
    error = capsys.readouterr().err
    assert "train.csv is missing" in error
    assert "--data" in error


@pytest.mark.parametrize("command", ["train", "export"])
def test_training_without_the_extra_says_how_to_get_it(
    command: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("router.training.extra.find_spec", lambda _: None)
    source = "--data" if command == "train" else "--run"
    assert run(["model", command, source, str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert "pip install 'router[train]'" in capsys.readouterr().err


def test_a_run_that_is_not_finished_is_not_exported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("router.training.extra.find_spec", lambda _: object())
    assert run(["model", "export", "--run", str(tmp_path), "--out", str(tmp_path / "o")]) == 2
    assert "run.json is missing" in capsys.readouterr().err


@pytest.mark.parametrize("command", sorted(model_group.commands))
def test_every_command_has_help_with_an_example(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["model", command, "--help"]) == 0
    assert re.search(r"Examples?:\n +router model", capsys.readouterr().out)
