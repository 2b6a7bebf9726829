"""The static stage: its graph against the model it was made from, and what it learns."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
import pytest

pytest.importorskip("torch", reason="the extra `train` is not installed")

from router.training.batches import padded
from router.training.static import Answers, StaticRecipe, distil, first_weights, static_logits
from router.training.static_graph import buckets_of, build_static_graph

PIECES, INTENTS, FLAGS = 40, 5, 2
RECIPE = StaticRecipe(width=6, hidden=8, buckets=64, epochs=60, batch=8, rate=2e-2)


def weights() -> dict[str, Any]:
    random = np.random.default_rng(2)
    of_pieces = random.normal(size=(PIECES, INTENTS + 1 + FLAGS)).astype(np.float32)
    found = first_weights(of_pieces, (INTENTS, FLAGS), RECIPE)
    # Zeros, as they begin, would hide that pairs or the layer are left out.
    return {name: tensor + 0.1 * (name.startswith("static")) for name, tensor in found.items()}


def session(given: dict[str, Any]) -> ort.InferenceSession:
    graph = build_static_graph({name: tensor.numpy() for name, tensor in given.items()})
    return ort.InferenceSession(graph.SerializeToString())


def some_rows() -> list[tuple[int, ...]]:
    random = np.random.default_rng(4)
    return [tuple(random.integers(0, PIECES, length).tolist()) for length in (7, 3, 2, 1)]


def answers(given: ort.InferenceSession, rows: list[tuple[int, ...]]) -> list[Any]:
    ids, mask = padded(rows)
    found: list[Any] = given.run(None, {"input_ids": ids, "attention_mask": mask})
    return found


def test_the_graph_computes_what_was_trained() -> None:
    given, rows = weights(), some_rows()
    wanted = static_logits(given, *padded(rows))
    for one, other in zip(answers(session(given), rows), wanted, strict=True):
        np.testing.assert_allclose(one, other.numpy(), atol=0.02)


def test_padding_and_batch_mates_change_no_bit_of_a_static_answer() -> None:
    given, rows = session(weights()), some_rows()
    together = answers(given, rows)
    for number, row in enumerate(rows):
        for one, all_of_them in zip(answers(given, [row]), together, strict=True):
            assert (one[0] == all_of_them[number]).all()


def test_a_piece_alone_is_first_answered_as_the_model_answers_it() -> None:
    random = np.random.default_rng(2)
    of_pieces = random.normal(size=(PIECES, INTENTS + 1 + FLAGS)).astype(np.float32)
    wide = first_weights(of_pieces, (INTENTS, FLAGS), StaticRecipe(width=100, buckets=8))
    ids: npt.NDArray[np.int64] = np.arange(PIECES)[:, None]
    intents, scope, flags = static_logits(wide, ids, np.ones_like(ids))
    found = np.column_stack([intents.numpy(), scope.numpy(), flags.numpy()])
    np.testing.assert_allclose(found, of_pieces, atol=1e-4)


@pytest.mark.parametrize("variants", [1, 2])
def test_it_learns_the_answers_to_whole_texts_and_the_order_of_words(variants: int) -> None:
    rows = [(1, 2, 3), (1, 3, 2), (4, 5), (5, 4)] * 8
    truth = np.array([0, 1, 2, 3] * 8)
    taught = Answers(
        np.eye(INTENTS, dtype=np.float32)[truth],
        (truth > 1).astype(np.float32),
        np.stack([truth == 0, truth == 3], axis=1).astype(np.float32),
    )
    lines: list[str] = []
    trained = distil(weights(), rows * variants, taught, RECIPE, lines.append)
    intents, scope, flags = answers(session(trained), rows)
    assert intents.argmax(1).tolist() == truth.tolist()
    assert ((scope > 0) == taught.scope.astype(bool)).all()
    assert ((flags > 0) == taught.flags.astype(bool)).all()
    assert len(lines) == RECIPE.epochs


def test_pairs_differ_by_their_order() -> None:
    pairs = buckets_of(np.array([[1, 2], [2, 1]]), 1 << 15)
    assert pairs[0, 0] != pairs[1, 0]
