"""Somebody's float32 graph becomes int8 where it multiplies with weights, and nowhere else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

pytest.importorskip("onnx", reason="the extra `train` is not installed")

import onnx
from onnx import TensorProto, helper, numpy_helper

from router.core.prediction import Question
from router.errors import UsageError
from router.model.packaging import Parts, package
from router.training import int8_check
from router.training.int8_check import Compared, compare
from router.training.quantise import by_column, by_row
from router.training.quantising import Quantised, quantise
from tests.model.tiny import SURE, TinyStage, write_bundle
from tests.training.encoders import PIECES, encoder, model, weights

HERE = Path("theirs.onnx")


def quantised(made: Any) -> Quantised:
    return quantise(made.SerializeToString(), HERE, large=1000)


def answers(content: bytes, *, optimise: bool = True) -> list[Any]:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    if not optimise:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(content, options)
    mask = (np.arange(9) < np.array([[9], [4], [1]])).astype(np.int64)
    ids = np.random.default_rng(3).integers(0, PIECES, mask.shape) * mask
    return list(session.run(None, {"input_ids": ids, "attention_mask": mask}))


@pytest.mark.parametrize("opset", [13, 17, 18, 21])
def test_the_int8_graph_says_nearly_what_the_float_graph_says_in_every_operator_set(
    opset: int,
) -> None:
    before = encoder(opset)
    made = quantised(before)
    compared = compare(before.SerializeToString(), made.content, made.pieces)
    assert isinstance(compared, Compared)
    assert set(compared.off) == {"intent_logits", "scope_logit"}
    assert all(0 < off < 0.05 for off in compared.off.values())
    assert max(compared.company.values()) < 1e-6


def test_products_with_weights_and_large_tables_are_changed_and_all_else_stays() -> None:
    made = quantised(encoder())
    assert (made.products, made.tables, made.pieces) == (5, 1, PIECES)
    operators = Counter(node.op_type for node in onnx.load_from_string(made.content).graph.node)
    # Two products of activations stay; query and key share their rows, intents and scope theirs.
    assert (operators["MatMulInteger"], operators["MatMul"], operators["Gemm"]) == (5, 2, 0)
    assert operators["ReduceMax"] == 3


def test_weights_are_quantised_as_our_own_are_and_the_float_ones_are_gone() -> None:
    graph = onnx.load_from_string(quantised(encoder()).content).graph
    held = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    query, head = by_column(weights()["query"]), by_column(0.5 * weights()["head"].T)
    assert (held["int8/query.int8"] == query[0]).all()
    assert (held["int8/head:transB=1:alpha=0.5.int8"] == head[0]).all()
    assert (held["int8/words"] == by_row(weights()["words"])[0]).all()
    assert not {"query", "head", "words", "scope"} & held.keys()
    assert "Constant" not in {node.op_type for node in graph.node}


def test_the_optimised_session_computes_what_is_written() -> None:
    made = quantised(encoder()).content
    for one, other in zip(answers(made), answers(made, optimise=False), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_what_is_below_the_size_of_a_large_table_is_looked_up_as_it_was() -> None:
    made = quantise(encoder().SerializeToString(), HERE)
    assert (made.products, made.tables) == (5, 0)


def test_a_weight_that_two_products_take_is_there_once_and_stays_where_others_read_it() -> None:
    node = helper.make_node
    made = encoder()
    made.graph.node[2].input[1] = "query"
    made.graph.node.append(node("Abs", ["query"], ["seen_by_another"]))
    made.graph.output.append(
        helper.make_tensor_value_info("seen_by_another", TensorProto.FLOAT, [32, 32])
    )
    graph = onnx.load_from_string(quantised(made).content).graph
    names = Counter(one.name for one in graph.initializer)
    assert (names["int8/query.int8"], names["query"], names["key"]) == (1, 1, 0)


def test_the_same_graph_gives_the_same_bytes() -> None:
    assert quantised(encoder()) == quantised(encoder())


def test_a_row_of_zeros_stays_one() -> None:
    nothing = encoder(changed={"words": np.zeros((PIECES, 32), np.float32)})
    given, wanted = answers(quantised(nothing).content), answers(nothing.SerializeToString())
    for one, other in zip(given, wanted, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def _without_weights() -> bytes:
    node = helper.make_node
    nodes = [
        node("Cast", ["input_ids"], ["x"], to=TensorProto.FLOAT),
        node("ReduceSum", ["x", "middle"], ["sum"], keepdims=1),
        node("Mul", ["sum", "three"], ["intent_logits"]),
        node("Squeeze", ["sum", "middle"], ["scope_logit"]),
    ]
    held = {"middle": np.array([1], np.int64), "three": np.ones(3, np.float32)}
    content: bytes = model(nodes, held).SerializeToString()
    return content


def _outside() -> bytes:
    made = encoder()
    tensor = made.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "weights.bin"
    content: bytes = made.SerializeToString()
    return content


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (lambda: b"not a graph", "is no ONNX model"),
        (lambda: b"", "no ONNX model"),
        (lambda: encoder(12).SerializeToString(), "operator set 12"),
        (_outside, "in files of their own"),
        (_without_weights, "has nothing to quantise"),
        (lambda: quantised(encoder()).content, "quantised already: it has MatMulInteger"),
    ],
)
def test_what_cannot_be_quantised_is_refused_with_the_reason(
    content: Callable[[], bytes], named: str
) -> None:
    with pytest.raises(UsageError, match=named):
        quantise(content(), HERE)


def test_a_graph_that_takes_something_else_is_quantised_and_not_asked() -> None:
    made = encoder()
    before = made.SerializeToString()
    made.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    fixed = quantised(made)
    assert isinstance(compare(before, fixed.content, fixed.pieces), str)


def test_a_graph_that_fails_on_the_ids_says_why_it_was_not_asked() -> None:
    before = encoder().SerializeToString()
    said = compare(before, quantised(encoder()).content, 10 * PIECES)
    assert isinstance(said, str)
    assert "fails on 16 texts" in said


def test_a_runtime_that_optimises_into_something_else_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, made = encoder().SerializeToString(), quantised(encoder())
    other = quantised(encoder(changed={"scope": -weights()["scope"]})).content
    session = int8_check._session

    def fused(content: bytes, *, optimise: bool = True) -> ort.InferenceSession:
        return session(content if optimise else other, optimise=optimise)

    monkeypatch.setattr(int8_check, "_session", fused)
    with pytest.raises(UsageError, match="computes something else"):
        compare(before, made.content, made.pieces)


def test_a_quantised_graph_becomes_a_bundle_that_verifies(tmp_path: Path) -> None:
    made = write_bundle(tmp_path / "made" / "1", TinyStage("only", {"card": SURE}))
    graph = tmp_path / "int8.onnx"
    graph.write_bytes(quantised(encoder()).content)
    parts = Parts(graph, made / "only.json", made / "labels.json", ("en",), 16)
    classifier, _ = package(parts, tmp_path / "ours" / "1")
    assert len(classifier.predict([Question("card", "en")]).answers[0].intents) == 3


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch speaks of its own export
def test_an_encoder_that_torch_exports_is_quantised(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="the extra `train` is not installed")

    class Theirs(torch.nn.Module):  # type: ignore[misc,name-defined]  # torch is not always there
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(3)
            self.words = torch.nn.Embedding(PIECES, 32)
            self.inner = torch.nn.Linear(32, 64)
            self.norm = torch.nn.LayerNorm(64)
            self.intents = torch.nn.Linear(64, 3)

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            inner = self.norm(torch.nn.functional.gelu(self.inner(self.words(input_ids))))
            kept = attention_mask[..., None].float()
            logits = self.intents((inner * kept).sum(1) / kept.sum(1))
            return logits, logits.logsumexp(1)

    texts, free = torch.ones(2, 8, dtype=torch.int64), {0: "batch", 1: "tokens"}
    torch.onnx.export(
        Theirs().eval(),
        (texts, texts),
        tmp_path / "theirs.onnx",
        opset_version=17,
        dynamo=False,
        input_names=["input_ids", "attention_mask"],
        output_names=["intent_logits", "scope_logit"],
        dynamic_axes={
            "input_ids": free,
            "attention_mask": free,
            "intent_logits": {0: "batch"},
            "scope_logit": {0: "batch"},
        },
    )
    content = (tmp_path / "theirs.onnx").read_bytes()
    made = quantise(content, HERE, large=1000)
    assert (made.products, made.tables) == (2, 1)
    compared = compare(content, made.content, made.pieces)
    assert isinstance(compared, Compared)
    assert max(compared.off.values()) < 0.03
    assert max(compared.company.values()) < 1e-6
