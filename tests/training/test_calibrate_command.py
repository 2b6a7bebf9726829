"""`router model calibrate` as a person or a script runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from router.cli.main import run
from router.model.bundle import read_bundle
from tests.model.gate_bundles import write_rows
from tests.model.tiny import TinyStage, read_manifest, write_bundle, write_manifest
from tests.training.recalibrations import LOST, messages

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "tiny" / "1", TinyStage("only", LOST))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rows = [*messages(260), {"text": "a secret", "label": "los_card"}]
    return write_rows(tmp_path / "rows.jsonl", rows)


def calibrate(bundle: Path, data: Path, *more: str) -> int:
    out = ["--out", str(bundle.with_name("2")), *more]
    return run(["model", "calibrate", str(bundle), "--data", str(data), *out])


def test_people_see_before_and_after_and_what_it_means(
    bundle: Path, data: Path, capsys: Captured
) -> None:
    assert calibrate(bundle, data) == 0
    printed = capsys.readouterr()
    lines = dict(line.split("\t", 1) for line in printed.out.splitlines())
    assert lines["what"] == "before\tafter"
    assert lines["calibration error (ECE)"].startswith("0.20")
    assert lines["out of scope, kept"] == "–\t–"
    assert lines["only: temperature"].startswith("1.0000\t1.9")
    for words in (
        "Did you mean lost_card?",
        "On 260 texts. After: each fifth of them by what the other four fifths gave",
        "Left out, for their label or their language: 1.",
        "The scope of stage only stays as it was",
    ):
        assert words in printed.err
    assert "secret" not in printed.err + printed.out
    assert run(["model", "verify", str(bundle.with_name("2"))]) == 0


def test_machines_get_one_json_object(bundle: Path, data: Path, capsys: Captured) -> None:
    assert calibrate(bundle, data, "--json", "--language", "en") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["bundle"]["hash"] == read_bundle(bundle.with_name("2")).ref.hash
    assert told["after"]["ece"] < told["before"]["ece"]
    assert told["data"]["left_out"] == {"label": 1, "language": 0}


def test_a_calibration_that_is_no_better_is_written_with_a_warning(
    bundle: Path, data: Path, capsys: Captured
) -> None:
    content = json.loads((bundle / "calibration.json").read_text())
    content["stages"]["only"]["temperature"] = 1.947489
    (bundle / "calibration.json").write_text(json.dumps(content))
    write_manifest(bundle, read_manifest(bundle))
    assert calibrate(bundle, data) == 0
    assert "warn  the probabilities are no better than before" in capsys.readouterr().out


def test_too_few_texts_are_wrong_usage_and_nothing_is_written(
    bundle: Path, tmp_path: Path, capsys: Captured
) -> None:
    few = write_rows(tmp_path / "few.jsonl", messages(10))
    assert calibrate(bundle, few) == 2
    assert "10 different texts" in capsys.readouterr().err
    assert not bundle.with_name("2").exists()
