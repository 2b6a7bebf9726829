"""A run from data to a folder: never written over, never continued as another, and a start for the
next."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="the extra `train` is not installed")

from safetensors.numpy import load_file

from router.errors import UsageError
from router.training.backbones import Backbone
from router.training.recipe import Recipe
from router.training.run import train
from router.training.teacher import Opinions
from tests.training.test_graph import TOKENS, random_weights, word_tokenizer
from tests.training.texts import write_data, write_own

RECIPE = Recipe(epochs=1, batch=8, own=2, foreign=5, max_tokens=TOKENS)

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Trains a tiny encoder into the folder named; gives what it wrote of itself."""

    def tiny(name: str, layers: int) -> Backbone:
        weights = {n: t for n, t in random_weights(layers=1).items() if not n.startswith("head.")}
        card = {"name": name, "licence": "MIT", "source": "invented"}
        return Backbone(weights, word_tokenizer(), ("de", "en"), card)

    monkeypatch.setattr("router.training.run.open_backbone", tiny)
    data, own = write_data(tmp_path / "data"), write_own(tmp_path / "texts")

    def start(folder: str, recipe: Recipe = RECIPE, **how: Any) -> dict[str, Any]:
        given: dict[str, Any] = {"threads": 1, "device": "cpu", "resume": False, **how}
        given.setdefault("tell", lambda _: None)
        train(data, own, tmp_path / folder, recipe, **given)
        facts: dict[str, Any] = json.loads((tmp_path / folder / "run.json").read_text())
        return facts

    return start


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def weights(folder: Path) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = load_file(folder / "weights.safetensors")
    return found


def test_a_run_without_its_data_says_which_file_is_missing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "data" / "banking77" / "train.csv").unlink()
    with pytest.raises(UsageError, match=r"train\.csv is missing"):
        run("run")
    assert not (tmp_path / "run").exists()


def test_a_run_is_not_written_over(run: Run) -> None:
    run("run")
    with pytest.raises(UsageError, match="holds a run"):
        run("run")


def test_a_run_goes_on_with_its_own_recipe_and_texts_alone(run: Run, tmp_path: Path) -> None:
    run("run")
    run("run", resume=True)
    with pytest.raises(UsageError, match="started with another recipe"):
        run("run", Recipe(seed=8), resume=True)
    with (tmp_path / "texts" / "train" / "de.jsonl").open("a") as stream:
        stream.write('{"text": "mehr", "label": "fee", "language": "de", "flags": []}\n')
    with pytest.raises(UsageError, match="started from other texts"):
        run("run", resume=True)


def test_the_run_that_ships_learns_from_what_is_held_out(run: Run, tmp_path: Path) -> None:
    split, whole = run("split")["texts"], run("whole", Recipe(epochs=0, whole=True))["texts"]
    assert whole["train"] == split["train"] + split["heldout"]
    assert (split["heldout"] > 0, whole["heldout"]) == (True, 0)
    assert whole["calibration"] == split["calibration"]
    assert rows(tmp_path / "split" / "split" / "heldout.csv")
    assert not (tmp_path / "whole" / "split" / "heldout.csv").exists()


def test_a_run_goes_on_from_another_and_names_it(run: Run, tmp_path: Path) -> None:
    first = run("first")
    second = run("second", Recipe(epochs=0, max_tokens=TOKENS), start=tmp_path / "first")
    assert second["before"] == [{"recipe": first["recipe"], "data": first["data"]}]
    before, after = weights(tmp_path / "first"), weights(tmp_path / "second")
    assert all((before[name] == after[name]).all() for name in before)


def test_a_start_that_does_not_fit_leaves_no_folder(run: Run, tmp_path: Path) -> None:
    run("first")
    facts = json.loads((tmp_path / "first" / "run.json").read_text())
    (tmp_path / "first" / "run.json").write_text(json.dumps(facts | {"labels": ["other"]}))
    with pytest.raises(UsageError, match="knows other intents"):
        run("second", start=tmp_path / "first")
    assert not (tmp_path / "second").exists()


def test_what_teachers_say_changes_what_is_learnt(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def opinions(lesson: Any, labels: int, teachers: Any, folder: Path, tell: Any) -> Opinions:
        asked.append((teachers, len(lesson)))
        said = np.full((len(lesson), labels), 1 / labels, np.float32)
        return Opinions(lesson.texts, said)

    monkeypatch.setattr("router.training.run.opinions", opinions)
    run("alone")
    taught = Recipe(epochs=1, batch=8, own=2, foreign=5, max_tokens=TOKENS, teachers=("minilm",))
    facts = run("taught", taught)
    ((teachers, count),) = asked
    assert teachers == ("minilm",)
    # English alone: BANKING77's part and, of our own, one language of two.
    assert count < facts["texts"]["train"] + facts["texts"]["own_train"]
    alone, both = weights(tmp_path / "alone"), weights(tmp_path / "taught")
    assert (alone["head.intent.weight"] != both["head.intent.weight"]).any()
