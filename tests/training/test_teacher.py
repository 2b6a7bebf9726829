"""Teachers are asked of no text that they learnt from, and share the truth with the label."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="the extra `train` is not installed")

import torch

from router.training.encoder import DISTANCES, by_distance, encode, shape_of
from router.training.examples import Example
from router.training.finetune import Course, targets
from router.training.lesson import lesson_of
from router.training.mpnet_file import by_berts_names
from router.training.recipe import Recipe
from router.training.teacher import FOLDS, Opinions, folds_of, opinions, out_of_fold

LABELS = ("card", "fee")
LESSON = lesson_of(
    [Example("a fee", "fee"), Example("lost", "card"), Example("an egg", "out_of_scope")], LABELS
)


def test_a_text_is_asked_about_without_a_word_of_its_own_label() -> None:
    random = np.random.default_rng(1)
    intents = np.arange(60) % 2
    vectors = random.normal(size=(60, 4)).astype(np.float32)
    vectors[:, 0] += np.where(intents, 1, -1)
    folds = np.arange(60) % FOLDS
    flipped = intents.copy()
    flipped[7] = 1 - flipped[7]
    found, other = (out_of_fold(vectors, said, 3, folds) for said in (intents, flipped))
    np.testing.assert_array_equal(found[folds == folds[7]], other[folds == folds[7]])
    assert (found != other).any()
    assert (found.argmax(axis=1) == intents).mean() > 0.7
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


QKV = ("self.query", "self.key", "self.value")


def mpnet(width: int = 8, heads: int = 2) -> dict[str, torch.Tensor]:
    """MPNet of one layer, by its own names."""
    generator = torch.Generator().manual_seed(3)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    weights = {
        "embeddings.word_embeddings.weight": normal(20, width),
        "embeddings.position_embeddings.weight": torch.arange(202.0).repeat(width, 1).T / 1e6,
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
    assert weights["embeddings.position_embeddings.weight"][:, 0].tolist()[0] == pytest.approx(2e-6)
    for letter, name in zip("qkvo", (*QKV, "output.dense"), strict=True):
        torch.testing.assert_close(
            weights[f"encoder.layer.0.attention.{name}.weight"],
            mpnet()[f"encoder.layer.0.attention.attn.{letter}.weight"],
        )
    ids = torch.tensor([[1, 2, 3, 0], [1, 2, 3, 4]])
    mask = torch.tensor([[1, 1, 1, 0], [1, 1, 1, 1]])
    alone = encode(weights, shape, ids[:1, :3], mask[:1, :3])
    torch.testing.assert_close(encode(weights, shape, ids, mask)[:1, :3], alone)


def test_distances_have_buckets_that_grow() -> None:
    """To 7 each has its own, from 91 on all share the last; ahead and behind are apart."""
    bucket = by_distance(torch.arange(32.0).unsqueeze(1), 200)[0, 0, :, 100]
    behind = {0: 0, 3: 3, 7: 7, 8: 8, 11: 8, 12: 9, 90: 14, 91: 15, 99: 15}
    assert {d: int(bucket[100 + d]) for d in behind} == behind
    ahead = {1: 17, 7: 23, 8: 24, 100: 31}
    assert {d: int(bucket[100 - d]) for d in ahead} == ahead
