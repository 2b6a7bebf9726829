"""The int8 graph against the torch model it was made from, on an encoder with random weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
import pytest

pytest.importorskip("torch", reason="the extra `train` is not installed")

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

from router.model.labelled import IN_SCOPE, OUT_OF_SCOPE
from router.training import checkpoint
from router.training.batches import batch_order, token_ids
from router.training.encoder import Shape, encode, pool, shape_of
from router.training.examples import Example
from router.training.finetune import Course, finetune
from router.training.graph import build_graph
from router.training.heads import features
from router.training.lesson import lesson_of
from router.training.own import FLAGS
from router.training.recipe import Recipe

WIDTH, INNER, VOCABULARY, TOKENS = 64, 128, 50, 16


def random_weights(layers: int = 2, intents: int = 5) -> dict[str, torch.Tensor]:
    """A BERT of `WIDTH` with heads, its norms as they start."""
    generator = torch.Generator().manual_seed(5)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator) * 0.1

    weights = {
        "embeddings.word_embeddings.weight": normal(VOCABULARY, WIDTH),
        "embeddings.position_embeddings.weight": normal(TOKENS, WIDTH),
        "embeddings.token_type_embeddings.weight": normal(2, WIDTH),
    }
    norms = ["embeddings.LayerNorm"]
    linears = {"head.intent": (intents, WIDTH), "head.scope": (1, WIDTH), "head.flags": (4, WIDTH)}
    for layer in range(layers):
        at = f"encoder.layer.{layer}."
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            linears[f"{at}attention.{part}"] = (WIDTH, WIDTH)
        linears[f"{at}intermediate.dense"] = (INNER, WIDTH)
        linears[f"{at}output.dense"] = (WIDTH, INNER)
        norms += [f"{at}attention.output.LayerNorm", f"{at}output.LayerNorm"]
    for name in norms:
        weights |= {f"{name}.weight": torch.ones(WIDTH), f"{name}.bias": normal(WIDTH)}
    for name, shape in linears.items():
        weights |= {f"{name}.weight": normal(*shape), f"{name}.bias": normal(shape[0])}
    return weights


def _session(weights: dict[str, torch.Tensor], optimise: bool = True) -> ort.InferenceSession:
    arrays = {name: tensor.numpy() for name, tensor in weights.items()}
    model = build_graph(arrays, shape_of(weights), TOKENS)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    if not optimise:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return ort.InferenceSession(model.SerializeToString(), options)


def _inputs() -> dict[str, npt.NDArray[np.int64]]:
    random = np.random.default_rng(3)
    mask = (np.arange(TOKENS) < np.array([[16], [9], [3], [1]])).astype(np.int64)
    return {"input_ids": random.integers(1, VOCABULARY, mask.shape) * mask, "attention_mask": mask}


def test_the_shape_is_read_from_the_weights() -> None:
    assert shape_of(random_weights(layers=3)) == Shape(layers=3, heads=2)


def test_int8_stays_close_to_the_model_it_was_made_from() -> None:
    weights, inputs = random_weights(), _inputs()
    logits, scope, flags = _session(weights).run(None, inputs)
    ids, mask = (torch.from_numpy(array) for array in inputs.values())
    pooled = pool(encode(weights, shape_of(weights), ids, mask), mask)
    answers = {"head.intent": logits, "head.scope": scope[:, None], "head.flags": flags}
    for head, given in answers.items():
        wanted = pooled @ weights[f"{head}.weight"].T + weights[f"{head}.bias"]
        np.testing.assert_allclose(given, wanted.numpy(), atol=0.05)


def test_the_optimised_graph_computes_what_is_written() -> None:
    weights, inputs = random_weights(), _inputs()
    written = _session(weights, optimise=False).run(None, inputs)
    for one, other in zip(_session(weights).run(None, inputs), written, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_padding_and_batch_mates_change_no_bit() -> None:
    session, inputs = _session(random_weights()), _inputs()
    together = session.run(None, inputs)
    for row in range(len(inputs["input_ids"])):
        alone = session.run(None, {name: array[[row]] for name, array in inputs.items()})
        for one, all_of_them in zip(alone, together, strict=True):
            assert (one[0] == all_of_them[row]).all()


LABELS = ("card", "fee")
TEXTS = ("card late", "fee high", "card gone", "fee wrong", "card not here", "a fee")


def word_tokenizer() -> Tokenizer:
    words = sorted({word for text in TEXTS for word in text.split()})
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *words, "egg", "boil", "bank"]
    tokenizer = Tokenizer(WordLevel({n: i for i, n in enumerate(names)}, unk_token=names[1]))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        "[CLS] $0 [SEP]", None, [("[CLS]", 2), ("[SEP]", 3)]
    )
    return tokenizer


def _flags(text: str) -> tuple[str, ...]:
    return ("fraud",) if "gone" in text else ()


def _tuned(folder: Path, recipe: Recipe, lines: list[str]) -> dict[str, Any]:
    folder.mkdir(exist_ok=True)
    known = lesson_of(
        [Example(t, "fee" if "fee" in t else "card", flags=_flags(t)) for t in TEXTS], LABELS
    )
    own = lesson_of([Example("bank", IN_SCOPE)], LABELS)
    foreign = lesson_of([Example("boil egg", OUT_OF_SCOPE), Example("egg", OUT_OF_SCOPE)], LABELS)
    course = Course(known, ((own, recipe.own), (foreign, recipe.foreign)), len(LABELS))
    weights = random_weights(layers=1, intents=2)
    return finetune(
        weights,
        word_tokenizer(),
        course,
        recipe,
        folder=folder,
        device="cpu",
        tell=lines.append,
    )


RECIPE = Recipe(epochs=6, batch=3, rate=5e-3, head_rate=5e-2, own=1, foreign=2, max_tokens=TOKENS)


def test_finetuning_learns_its_lesson_and_leaves_the_words(tmp_path: Path) -> None:
    weights = _tuned(tmp_path / "run", replace(RECIPE, epochs=40), [])
    rows = token_ids(word_tokenizer(), [*TEXTS, "bank", "egg"], TOKENS)
    pooled = torch.from_numpy(features(weights, shape_of(weights), rows))
    intents, scope, flags = (
        pooled @ weights[f"head.{head}.weight"].T + weights[f"head.{head}.bias"]
        for head in ("intent", "scope", "flags")
    )
    assert intents.argmax(1)[: len(TEXTS)].tolist() == [0, 1, 0, 1, 0, 1]
    assert (scope[:, 0] > 0).tolist() == [*[True] * len(TEXTS), True, False]
    assert (flags > 0).nonzero().tolist() == [[TEXTS.index("card gone"), FLAGS.index("fraud")]]
    words = "embeddings.word_embeddings.weight"
    assert (weights[words] == random_weights()[words]).all()


def test_a_run_broken_off_and_resumed_ends_where_an_unbroken_one_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Break(Exception):  # noqa: N818 - stands for a power cut, not for an error of ours
        pass

    save = checkpoint.save

    def save_then_break(folder: Path, trained: Any, optimiser: Any, epochs: int) -> None:
        save(folder, trained, optimiser, epochs)
        if epochs == 3:
            raise Break

    unbroken = _tuned(tmp_path / "unbroken", RECIPE, [])
    with monkeypatch.context() as patched:
        patched.setattr(checkpoint, "save", save_then_break)
        with pytest.raises(Break):
            _tuned(tmp_path / "broken", RECIPE, [])
    resumed = _tuned(tmp_path / "broken", RECIPE, [])
    assert all((resumed[name] == tensor).all() for name, tensor in unbroken.items())


def test_each_text_is_in_one_batch_of_an_epoch() -> None:
    batches = list(batch_order([3] * 10 + [9] * 7, 4, np.random.default_rng(1)))
    assert sorted(i for batch in batches for i in batch) == list(range(17))
    assert max(map(len, batches)) == 4
