"""`router model package`, `list`, `gate`, `promote` and `rollback` as a person or a script runs
them, one after another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from router.cli.main import run
from router.model.live import Canary, Live, read_live, write_live
from tests.model.gate_bundles import POLICY, bundle, write_rows
from tests.model.tiny import TinyStage, write_bundle


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    for version, intent in (("1", "lost_card"), ("2", "lost_card"), ("10", "fees")):
        bundle(folder / "tiny" / version, {"lost": intent})
    write_live(folder / "live.json", Live("tiny@1"))
    write_rows(tmp_path / "rows.jsonl", [{"text": "lost", "label": "lost_card"}] * 40)
    (tmp_path / "policy.yaml").write_text(POLICY)
    return folder


def gate(models: Path, new: str, *more: str) -> int:
    here = models.parent
    files = ["--data", str(here / "rows.jsonl"), "--policy", str(here / "policy.yaml")]
    fast = ["--slower", "1000"]
    return run(["model", "gate", new, *files, *fast, "--models", str(models), *more])


def test_a_better_bundle_goes_through_the_gate_and_back(
    models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--models", str(models)]
    assert run(["model", "promote", "tiny@2", *where]) == 1
    assert "no gate" in capsys.readouterr().err
    assert gate(models, "tiny@2", "--against", "tiny@1") == 0
    out = capsys.readouterr().out
    assert "intent\t40\t1.0000\t1.0000\t+0.0000\t+0.0000\tok" in out
    assert "tiny@2 passed." in out
    assert run(["model", "promote", "tiny@2", *where, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"live": "tiny@2"}
    assert read_live(models / "live.json").live == "tiny@2"
    assert run(["model", "rollback", *where]) == 0
    assert capsys.readouterr().out == "Live is tiny@1.\n"
    assert run(["model", "rollback", *where]) == 1


def test_a_worse_bundle_is_refused_and_told_where_it_is_worse(
    models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gate(models, "tiny@10") == 1
    out = capsys.readouterr().out
    assert "tiny@10 is refused." in out
    assert "Worse: intent, queue, language en: intent" in out
    assert run(["model", "promote", "tiny@10", "--models", str(models)]) == 1
    assert "refused by its gate" in capsys.readouterr().err


def test_a_verdict_is_one_json_object_and_the_file_that_was_asked_for(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gate(models, "tiny@2", "--json", "--out", str(tmp_path / "verdict.json")) == 0
    record = json.loads(capsys.readouterr().out)
    assert record == json.loads((tmp_path / "verdict.json").read_text())
    assert (record["passed"], record["rows"], record["against"]["version"]) == (True, 40, "1")
    assert not (models / "gates").exists()


def test_too_few_messages_are_no_reason_to_pass(
    models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gate(models, "tiny@2", "--least", "41") == 1
    assert "too few messages with an intent" in capsys.readouterr().out


def test_the_list_shows_roles_and_malformed_bundles_in_the_order_of_versions(
    models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_live(models / "live.json", Live("tiny@1", "tiny@2", Canary("tiny@10", 0.05)))
    (models / "tiny" / "3").mkdir()
    (models / "tiny" / "3" / "manifest.json").write_text("{")
    assert run(["model", "list", "--models", str(models), "--json"]) == 0
    bundles = json.loads(capsys.readouterr().out)
    roles = [(one["bundle"], one["role"]) for one in bundles]
    assert roles == [
        ("tiny@1", "live"), ("tiny@2", "shadow"), ("tiny@3", None), ("tiny@10", "canary 5%"),
    ]  # fmt: skip
    assert "is not JSON" in bundles[2]["problem"]
    assert run(["model", "list", "--models", str(models)]) == 0
    assert "tiny@1\tlive\ten, de\t0.0 MB" in capsys.readouterr().out


def test_the_projects_own_bundles_are_listed_with_their_accuracy(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["model", "list", "--json"]) == 0
    (live,) = (one for one in json.loads(capsys.readouterr().out) if one["role"] == "live")
    assert live["problem"] is None
    assert all(0 < accuracy <= 1 for accuracy in live["accuracy"].values())


@pytest.fixture
def parts(tmp_path: Path) -> list[str]:
    made = write_bundle(tmp_path / "made" / "1", TinyStage("only", {"card": (9.0, 0.0, 0.0)}))
    files = {"--graph": "only.onnx", "--tokenizer": "only.json", "--labels": "labels.json"}
    return [word for option, name in files.items() for word in (option, str(made / name))]


def test_a_package_verifies_and_says_what_it_lacks(
    parts: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "ours" / "1")
    more = ["--languages", "en, de", "--sample", "card", "--sample", "de=card", "--out", out]
    assert run(["model", "package", *parts, *more]) == 0
    assert "warn  No calibration" in capsys.readouterr().out
    assert run(["model", "verify", out]) == 0
    samples = json.loads((tmp_path / "ours" / "1" / "manifest.json").read_text())["samples"]
    assert [(s["text"], s["language"]) for s in samples[-2:]] == [("card", "en"), ("card", "de")]


def test_a_package_is_told_as_json(
    parts: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "ours" / "1")
    assert run(["model", "package", *parts, "--languages", "en", "--out", out, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["name"], told["version"], len(told["missing"])) == ("ours", "1", 4)


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (["--languages", "english"], "two-letter codes"),
        (["--languages", ","], "two-letter codes"),
        (["--languages", "en", "--sample="], "a sample is empty"),
    ],
)
def test_wrong_options_of_a_package_are_wrong_usage(
    parts: list[str], more: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["model", "package", *parts, *more, "--out", "nowhere/1"]) == 2
    assert named in capsys.readouterr().err


@pytest.mark.parametrize("command", ["package", "list", "gate", "promote", "rollback"])
def test_every_command_has_help_with_an_example(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["model", command, "--help"]) == 0
    shown = capsys.readouterr().out
    assert "Example" in shown
    assert f"router model {command}" in shown
