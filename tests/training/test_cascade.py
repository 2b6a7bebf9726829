"""A bundle gets a first stage: its own stages stay, and the new one answers what it is sure of."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the extra `train` is not installed")

from router.core.prediction import Question
from router.errors import UsageError
from router.model.bundle import read_bundle
from router.model.classifier import load_classifier
from router.training.cascade import add_first_stage
from router.training.export import export
from router.training.own import LANGUAGES
from router.training.static import StaticRecipe
from tests.training.test_export import finished
from tests.training.test_graph import TEXTS

RECIPE = StaticRecipe(width=4, hidden=4, buckets=16, epochs=2, batch=8, variants=1)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    runs = [
        finished(tmp_path / "en", "minilm", ["en"]),
        finished(tmp_path / "all", "e5", ["de", "en"]),
    ]
    out = tmp_path / "models" / "invented" / "1"
    export(runs, out, lambda _: None)
    return out


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "banking77").mkdir(parents=True)
    with (folder / "banking77" / "train.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("text", "category"))
        for number in range(40):
            text = TEXTS[number % len(TEXTS)]
            writer.writerow((f"{text} number{number}", "fee" if "fee" in text else "card"))
    (folder / "clinc150").mkdir()
    foreign = [{"text": f"boil egg {n}", "label": f"recipe_{n % 5}"} for n in range(20)]
    ours = [{"text": f"bank {n}", "label": "balance"} for n in range(5)]
    lines = "".join(json.dumps(row) + "\n" for row in (*foreign, *ours))
    for name in ("train", "val", "oos_train", "oos_val"):
        (folder / "clinc150" / f"{name}.jsonl").write_text(lines if name == "train" else "")
    return folder


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "texts" / "train"
    folder.mkdir(parents=True)
    for language in LANGUAGES:
        rows = [
            {
                "text": f"{text} {language} {number}",
                "label": "fee" if "fee" in text else "card",
                "language": language,
                "flags": ["fraud"] if "gone" in text else [],
            }
            for text in TEXTS
            for number in range(4)
        ]
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{language}.jsonl").write_text(lines)
    return folder.parent


def test_a_bundle_gets_a_first_stage_and_keeps_its_own(
    bundle: Path, data: Path, own: Path, tmp_path: Path
) -> None:
    out = tmp_path / "models" / "invented" / "2"
    lines: list[str] = []
    _, accepted = add_first_stage(bundle, data, own, out, RECIPE, lines.append)
    before, after = read_bundle(bundle), read_bundle(out)
    assert [s.name for s in after.manifest.stages] == ["static", "minilm", "e5"]
    assert after.ref.version == "2"
    for stage in before.manifest.stages:
        assert after.files[stage.graph] == before.files[stage.graph]
        assert after.calibrations[stage.name] == before.calibrations[stage.name]
    assert after.calibrations["static"].accept == accepted.accept
    assert set(after.manifest.stages[0].outputs) == {"intent_logits", "scope_logit", "flag_logits"}
    answers = load_classifier(out).predict([Question("card late", "en")]).answers
    assert answers[0].stage in {"static", "minilm"}
    assert any("epoch 2 of 2" in line for line in lines)


def test_what_the_first_stage_is_not_sure_of_goes_to_the_others(
    bundle: Path, data: Path, own: Path, tmp_path: Path
) -> None:
    out = tmp_path / "models" / "invented" / "2"
    classifier, _ = add_first_stage(bundle, data, own, out, RECIPE, lambda _: None)
    content = json.loads((out / "calibration.json").read_text())
    # Random weights are sure of nothing, so nothing may be answered by the first stage.
    assert content["stages"]["static"]["accept"] == 1.0
    asked = [Question("card late", language) for language in ("en", "de")]
    assert [a.stage for a in classifier.predict(asked).answers] == ["minilm", "e5"]


def test_a_cascade_is_built_on_a_bundle_that_is_none(
    bundle: Path, data: Path, own: Path, tmp_path: Path
) -> None:
    out = tmp_path / "models" / "invented" / "2"
    add_first_stage(bundle, data, own, out, RECIPE, lambda _: None)
    with pytest.raises(UsageError, match="has a stage static already"):
        add_first_stage(out, data, own, out.with_name("3"), RECIPE, lambda _: None)
    with pytest.raises(UsageError, match="exists"):
        add_first_stage(bundle, data, own, out, RECIPE, lambda _: None)
