"""A run goes on from one of its like, and measures on nothing that any of them learnt from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from router.errors import UsageError
from router.training.own import FLAGS
from router.training.parts import SOURCES
from router.training.recipe import Recipe
from router.training.starting import before_of, held_nothing_out

LABELS = ("card", "fee")
DATA = {name: f"hash of {name}" for name in SOURCES}


def finished(folder: Path, *before: Mapping[str, Any], **recipe: object) -> Path:
    folder.mkdir()
    facts = {
        "recipe": {"encoder": "minilm", "layers": 6, **recipe},
        "before": before,
        "labels": LABELS,
        "flags": FLAGS,
        "data": DATA,
    }
    (folder / "run.json").write_text(json.dumps(facts))
    (folder / "weights.safetensors").write_bytes(b"weights")
    (folder / "tokenizer.json").write_text("pieces")
    return folder


def test_a_run_goes_on_from_one_of_its_like_and_names_all(tmp_path: Path) -> None:
    first = {"recipe": {"epochs": 9}, "data": {}}
    before = before_of(finished(tmp_path / "run", first, epochs=3), Recipe())
    before.fits(LABELS, DATA | {"texts/train/de.jsonl": "other"}, "pieces")
    assert [run["recipe"]["epochs"] for run in before.runs] == [9, 3]
    assert before.runs[1]["data"] == DATA


@pytest.mark.parametrize(
    ("labels", "data", "tokenizer", "problem"),
    [
        ((*LABELS, "more"), DATA, "pieces", "knows other intents"),
        (LABELS, DATA | {SOURCES[0]: "other"}, "pieces", "learnt from another banking77"),
        (LABELS, DATA, "other", "reads other word pieces"),
    ],
)
def test_a_run_of_another_kind_is_no_start(
    tmp_path: Path, labels: tuple[str, ...], data: dict[str, str], tokenizer: str, problem: str
) -> None:
    before = before_of(finished(tmp_path / "run"), Recipe())
    with pytest.raises(UsageError, match=problem):
        before.fits(labels, data, tokenizer)


def test_a_run_of_another_encoder_is_no_start(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is of minilm with 6 layers"):
        before_of(finished(tmp_path / "run"), Recipe(encoder="e5"))


def test_what_a_run_before_learnt_from_is_not_held_out(tmp_path: Path) -> None:
    whole = {"recipe": {"whole": True}, "data": {}}
    for number, folder in enumerate(
        (finished(tmp_path / "1", whole=True), finished(tmp_path / "2", whole))
    ):
        with pytest.raises(UsageError, match="learnt from the part that this one would hold out"):
            before_of(folder, Recipe())
        assert len(before_of(folder, Recipe(whole=True)).runs) == number + 1


def test_a_bundle_says_whether_any_of_its_runs_held_nothing_out() -> None:
    split = {"recipe": {"whole": False}}
    assert not held_nothing_out([split, {"recipe": {}, "before": [split]}])
    assert held_nothing_out([split, {"recipe": {"whole": True}}])
    assert held_nothing_out([split, {"recipe": {}, "before": [{"recipe": {"whole": True}}]}])


def test_a_packaged_bundle_says_nothing_of_it() -> None:
    assert not held_nothing_out([3, "a note", {"recipe": 7}, {}])
