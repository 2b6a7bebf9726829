"""A run folder becomes a bundle that verifies, loads and answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the extra `train` is not installed")

from safetensors.torch import save_file

from router.errors import UsageError
from router.model.bundle import read_bundle
from router.model.classifier import load_classifier
from router.training.examples import Example, write_split
from router.training.export import SAMPLES, add_metrics, export
from tests.core.policy_fixtures import english
from tests.training.test_graph import TEXTS, TOKENS, random_weights, word_tokenizer


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    save_file(random_weights(layers=1, intents=2), folder / "weights.safetensors")
    word_tokenizer().save(str(folder / "tokenizer.json"))
    rows = [Example(text, "fee" if "fee" in text else "card") for text in TEXTS]
    scope = [Example("boil egg", "out_of_scope"), Example("bank", "in_scope")]
    write_split(folder / "split" / "calibration.csv", [*rows, *scope])
    facts = {
        "labels": ["card", "fee"],
        "recipe": {"max_tokens": TOKENS},
        "data": {"banking77/train.csv": "0" * 64, "clinc150/train.jsonl": "1" * 64},
        "texts": {"train": 6},
        "heldout_scope_intents": [],
    }
    (folder / "run.json").write_text(json.dumps(facts))
    return folder


def test_a_run_becomes_a_bundle_that_answers(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "models" / "invented" / "3"
    export(finished, out, lambda _: None)
    add_metrics(out, {"heldout.csv": {"accuracy": 0.5}})
    bundle = read_bundle(out)
    assert (bundle.ref.name, bundle.ref.version) == ("invented", "3")
    assert bundle.intents == ("card", "fee")
    assert [sample.text for sample in bundle.manifest.samples] == list(SAMPLES)
    assert bundle.manifest.whole["metrics"] == {"heldout.csv": {"accuracy": 0.5}}
    licences = [source["licence"] for source in bundle.manifest.whole["data"]]
    assert licences == ["CC-BY-4.0", "CC-BY-3.0"]
    assert len(load_classifier(out).predict(english(*TEXTS)).answers) == len(TEXTS)


def test_the_same_run_gives_the_same_bundle(finished: Path, tmp_path: Path) -> None:
    folders = [tmp_path / where / "invented" / "1" for where in ("here", "there")]
    refs = [export(finished, folder, lambda _: None).ref for folder in folders]
    assert refs[0] == refs[1]


def test_an_export_does_not_write_over_what_is_no_bundle(finished: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="which is no part of a bundle"):
        export(finished, tmp_path, lambda _: None)
