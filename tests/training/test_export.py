"""A run folder becomes a bundle that verifies, loads and answers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the extra `train` is not installed")

from safetensors.torch import save_file

from router.core.prediction import Question
from router.errors import UsageError
from router.model.bundle import read_bundle
from router.model.classifier import load_classifier
from router.training.examples import Example, write_split
from router.training.export import SAMPLES, add_metrics, export
from router.training.own import FLAGS
from tests.core.policy_fixtures import english
from tests.training.test_graph import TEXTS, TOKENS, random_weights, word_tokenizer


def finished(folder: Path, encoder: str, languages: list[str]) -> Path:
    """A run folder as training leaves it, of an encoder with random weights."""
    folder.mkdir()
    save_file(random_weights(layers=1, intents=2), folder / "weights.safetensors")
    word_tokenizer().save(str(folder / "tokenizer.json"))
    rows = [Example(text, "fee" if "fee" in text else "card") for text in TEXTS]
    scope = [Example("boil egg", "out_of_scope"), Example("bank", "in_scope")]
    write_split(folder / "split" / "calibration.csv", [*rows, *scope])
    own = [
        replace(row, language=language, flags=("fraud",) if row is rows[0] else ())
        for row in [*rows, *scope]
        for language in languages
    ]
    write_split(folder / "split" / "own-calibration.csv", own)
    facts = {
        "labels": ["card", "fee"],
        "flags": list(FLAGS),
        "languages": languages,
        "encoder": {"name": encoder, "licence": "MIT", "source": "invented"},
        "recipe": {"max_tokens": TOKENS, "encoder": encoder},
        "before": [],
        "data": {
            "banking77/train.csv": "0" * 64,
            "clinc150/train.jsonl": "1" * 64,
            "texts/train/en.jsonl": "2" * 64,
        },
        "texts": {"train": 6},
        "heldout_scope_intents": [],
    }
    (folder / "run.json").write_text(json.dumps(facts))
    return folder


@pytest.fixture
def english_run(tmp_path: Path) -> Path:
    return finished(tmp_path / "en", "minilm", ["en"])


def test_a_run_becomes_a_bundle_that_answers(english_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "models" / "invented" / "3"
    export([english_run], out, lambda _: None)
    add_metrics(out, {"heldout.csv": {"accuracy": 0.5}})
    bundle = read_bundle(out)
    assert (bundle.ref.name, bundle.ref.version) == ("invented", "3")
    assert (bundle.intents, bundle.flags) == (("card", "fee"), FLAGS)
    asked = [(sample.text, sample.language) for sample in bundle.manifest.samples]
    assert asked == [sample for sample in SAMPLES if sample[1] == "en"]
    assert bundle.manifest.whole["metrics"] == {"heldout.csv": {"accuracy": 0.5}}
    licences = [source["licence"] for source in bundle.manifest.whole["data"]]
    assert licences == ["CC-BY-4.0", "CC-BY-3.0", "Apache-2.0"]
    assert len(load_classifier(out).predict(english(*TEXTS)).answers) == len(TEXTS)


def test_of_several_runs_each_answers_the_languages_that_are_left_to_it(
    english_run: Path, tmp_path: Path
) -> None:
    all_languages = finished(tmp_path / "all", "e5", ["de", "en"])
    out = tmp_path / "models" / "invented" / "1"
    classifier = export([english_run, all_languages], out, lambda _: None)
    assert classifier.languages == {"de", "en"}
    first, last = read_bundle(out).manifest.stages
    assert (first.name, first.languages, last.name, last.languages) == (
        "minilm",
        ("en",),
        "e5",
        None,
    )
    asked = [Question("card", language) for language in ("en", "de", "sv")]
    assert [a.stage for a in classifier.predict(asked).answers] == ["minilm", "e5", "e5"]


def test_runs_of_other_intents_make_no_bundle(english_run: Path, tmp_path: Path) -> None:
    other = finished(tmp_path / "all", "e5", ["de"])
    facts = json.loads((other / "run.json").read_text())
    (other / "run.json").write_text(json.dumps(facts | {"labels": ["card", "loan"]}))
    with pytest.raises(UsageError, match="do not know the same labels"):
        export([english_run, other], tmp_path / "out", lambda _: None)


def test_two_runs_of_one_encoder_make_no_bundle(english_run: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Two runs are of the encoder minilm"):
        export([english_run, english_run], tmp_path / "out", lambda _: None)


def test_the_same_run_gives_the_same_bundle(english_run: Path, tmp_path: Path) -> None:
    folders = [tmp_path / where / "invented" / "1" for where in ("here", "there")]
    refs = [export([english_run], folder, lambda _: None).ref for folder in folders]
    assert refs[0] == refs[1]


def test_an_export_does_not_write_over_what_is_no_bundle(english_run: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="which is no part of a bundle"):
        export([english_run], tmp_path, lambda _: None)
