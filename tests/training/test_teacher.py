"""Teachers are asked of no text that they learnt from, and share the truth with the label."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="the extra `train` is not installed")

import torch

from router.errors import UsageError
from router.training.encoder import DISTANCES, by_distance, encode, shape_of
from router.training.examples import Example
from router.training.finetune import Course, targets
from router.training.lesson import lesson_of
from router.training.mpnet_file import by_berts_names
from router.training.recipe import Recipe
from router.training.starting import before_of
from router.training.teacher import FOLDS, Opinions, folds_of, opinions, out_of_fold

LABELS = ("card", "fee")
LESSON = lesson_of(
    [Example("a fee", "fee"), Example("lost", "card"), Example("an egg", "out_of_scope")], LABELS
)


def test_a_wrong_label_is_outvoted_by_its_neighbours() -> None:
    random = np.random.default_rng(1)
    intents = np.arange(60) % 2
    vectors = random.normal(size=(60, 4)).astype(np.float32) * 0.1
    vectors[:, 0] += np.where(intents, 1, -1)
    said = intents.copy()
    said[7] = 1 - said[7]
    found = out_of_fold(vectors, said, 3, np.arange(60) % FOLDS)
    assert found[7].argmax() == intents[7]
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
    assert not found[:, 2].any()


def test_near_duplicates_are_never_asked_about_each_other() -> None:
    texts = ["where is my card", "my card, where is it now", "Where is my card?", "a fee", "b", "c"]
    folds = folds_of(texts)
    assert folds[0] == folds[2]
    assert len(set(folds.tolist())) > 1


def test_without_a_teacher_the_label_is_learnt_smoothed() -> None:
    learnt = targets(LESSON, Course(LESSON, (), 2), Recipe(smoothing=0.1))
    np.testing.assert_allclose(learnt, np.array([[0.05, 0.95], [0.95, 0.05], [0, 0]]), atol=1e-6)


def test_a_teacher_shares_the_truth_of_what_it_knows() -> None:
    said = Opinions(("a fee", "an egg"), np.array([[0.5, 0.5], [1, 0]], np.float32))
    learnt = targets(LESSON, Course(LESSON, (), 2, said), Recipe(smoothing=0.0, taught=0.4))
    np.testing.assert_allclose(learnt, np.array([[0.2, 0.8], [1, 0], [0, 0]]), atol=1e-6)


def test_vectors_are_kept_for_the_same_texts_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def vectors(weights: object, shape: object, rows: list[tuple[int, ...]]) -> np.ndarray:
        asked.append(len(rows))
        return np.eye(len(rows), 3, dtype=np.float32) + 0.1

    monkeypatch.setattr("router.training.teacher.features", vectors)
    monkeypatch.setattr("router.training.teacher.shape_of", lambda weights: None)
    monkeypatch.setattr("router.training.teacher.token_ids", lambda _, texts, most: texts)
    monkeypatch.setattr("router.training.teacher.open_backbone", _nothing)
    words = ("red", "blue", "green", "grey", "white", "black", "pink", "gold", "brown", "violet")
    lesson = lesson_of([Example(word, LABELS[n % 2]) for n, word in enumerate(words)], LABELS)
    first = opinions(lesson, 2, ["minilm"], tmp_path, lambda _: None)
    again = opinions(lesson, 2, ["minilm"], tmp_path, lambda _: None)
    assert asked == [10]
    np.testing.assert_array_equal(first.probabilities, again.probabilities)
    opinions(lesson.of(range(9)), 2, ["minilm"], tmp_path, lambda _: None)
    assert asked == [10, 9]


def _nothing(name: str, layers: int) -> object:
    class Nothing:
        weights = tokenizer = None

    return Nothing()


def mpnet(width: int = 8, heads: int = 2) -> dict[str, torch.Tensor]:
    """MPNet of one layer, by its own names."""
    generator = torch.Generator().manual_seed(3)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    weights = {
        "embeddings.word_embeddings.weight": normal(20, width),
        "embeddings.position_embeddings.weight": normal(202, width) * 0,
        "embeddings.position_ids": torch.arange(202),
        DISTANCES: normal(32, heads),
        "pooler.dense.weight": normal(width, width),
    }
    at = "encoder.layer.0."
    for name in (*(f"attention.attn.{p}" for p in "qkvo"), "intermediate.dense", "output.dense"):
        weights |= {f"{at}{name}.weight": normal(width, width), f"{at}{name}.bias": normal(width)}
    for name in ("embeddings.LayerNorm", f"{at}attention.LayerNorm", f"{at}output.LayerNorm"):
        weights |= {f"{name}.weight": torch.ones(width), f"{name}.bias": torch.zeros(width)}
    return weights


def test_mpnets_layers_are_read_by_berts_names() -> None:
    weights = by_berts_names(mpnet())
    shape = shape_of(weights)
    assert (shape.layers, shape.heads, shape.epsilon) == (1, 2, 1e-5)
    assert len(weights["embeddings.position_embeddings.weight"]) == 200
    ids = torch.tensor([[1, 2, 3, 0], [1, 2, 3, 4]])
    mask = torch.tensor([[1, 1, 1, 0], [1, 1, 1, 1]])
    alone = encode(weights, shape, ids[:1, :3], mask[:1, :3])
    torch.testing.assert_close(encode(weights, shape, ids, mask)[:1, :3], alone)


def test_distances_have_buckets_that_grow() -> None:
    """To 7 each has its own, from 113 on all share the last; ahead and behind are apart."""
    bucket = by_distance(torch.arange(32.0).unsqueeze(1), 200)[0, 0, :, 100]
    behind = {0: 0, 3: 3, 7: 7, 8: 8, 11: 8, 12: 9, 90: 14, 99: 15}
    assert {d: int(bucket[100 + d]) for d in behind} == behind
    ahead = {1: 17, 7: 23, 8: 24, 100: 31}
    assert {d: int(bucket[100 - d]) for d in ahead} == ahead


def finished(folder: Path, **recipe: object) -> Path:
    folder.mkdir()
    facts = {
        "recipe": {"encoder": "minilm", "layers": 6, **recipe},
        "labels": list(LABELS),
        "flags": [],
    }
    (folder / "run.json").write_text(json.dumps(facts))
    (folder / "weights.safetensors").write_bytes(b"weights")
    return folder


def test_a_run_goes_on_from_one_of_the_same_encoder_and_labels(tmp_path: Path) -> None:
    before = before_of(finished(tmp_path / "run", epochs=3), Recipe())
    assert [one["epochs"] for one in before.recipes] == [3]
    before.fits(LABELS)
    with pytest.raises(UsageError, match="knows other intents"):
        before.fits((*LABELS, "more"))
    with pytest.raises(UsageError, match="is of minilm with 6 layers"):
        before_of(tmp_path / "run", Recipe(encoder="e5"))
