"""A bundle gets a first stage: its own stages stay, and the new one answers what it is sure of."""

from __future__ import annotations

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
from router.training.static import StaticRecipe
from tests.training.test_export import finished
from tests.training.texts import write_data, write_own

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
    return write_data(tmp_path / "data")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return write_own(tmp_path / "texts")


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
