"""Somebody's small encoder in float32: a table, a mixing of tokens, products of all kinds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

PIECES, WIDTH, INTENTS = 60, 32, 3


def weights() -> dict[str, Any]:
    random = np.random.default_rng(11)

    def normal(*shape: int) -> Any:
        return (random.normal(size=shape) * 0.3).astype(np.float32)

    return {
        "words": normal(PIECES, WIDTH),
        "query": normal(WIDTH, WIDTH),
        "key": normal(WIDTH, WIDTH),
        "turned": normal(2 * WIDTH, WIDTH),
        "head": normal(INTENTS, 2 * WIDTH),
        "shift": normal(INTENTS),
        "scope": normal(2 * WIDTH, 1),
    }


def encoder(opset: int = 17, *, changed: Mapping[str, Any] | None = None) -> Any:
    """Takes and gives what a stage does. ``changed`` replaces some of `weights`."""
    node = helper.make_node
    table = weights() | dict(changed or {})
    in_a_node = numpy_helper.from_array(table.pop("turned"), "")
    nodes = [
        node("Gather", ["words", "input_ids"], ["x"]),
        node("MatMul", ["x", "query"], ["q"]),
        node("MatMul", ["x", "key"], ["k"]),
        node("Transpose", ["k"], ["k_turned"], perm=[0, 2, 1]),
        node("MatMul", ["q", "k_turned"], ["scores"]),
        node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        node("Sub", ["mask", "one"], ["hidden"]),
        node("Mul", ["hidden", "far"], ["bias"]),
        node("Unsqueeze", ["bias", "middle"], ["bias_row"]),
        node("Add", ["scores", "bias_row"], ["seen"]),
        node("Softmax", ["seen"], ["shares"], axis=-1),
        node("MatMul", ["shares", "x"], ["mixed"]),
        node("Constant", [], ["turned"], value=in_a_node),
        node("Transpose", ["turned"], ["inner_weight"], perm=[1, 0]),
        node("MatMul", ["mixed", "inner_weight"], ["inner"]),
        node("Tanh", ["inner"], ["bent"]),
        node("Unsqueeze", ["mask", "last"], ["column"]),
        node("Mul", ["bent", "column"], ["kept"]),
        node("ReduceSum", ["kept", "middle"], ["pooled"], keepdims=0),
        node("Gemm", ["pooled", "head", "shift"], ["intent_logits"], transB=1, alpha=0.5, beta=2.0),
        node("MatMul", ["pooled", "scope"], ["scope_column"]),
        node("Squeeze", ["scope_column", "middle"], ["scope_logit"]),
    ]
    constants = table | {
        "one": np.array(1, np.float32),
        "far": np.array(1e4, np.float32),
        "middle": np.array([1], np.int64),
        "last": np.array([2], np.int64),
    }
    return model(nodes, constants, opset)


def model(nodes: list[Any], constants: Mapping[str, Any], opset: int = 17) -> Any:
    free = ["batch", "tokens"]
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "theirs",
        [info(name, TensorProto.INT64, free) for name in ("input_ids", "attention_mask")],
        [
            info("intent_logits", TensorProto.FLOAT, ["batch", INTENTS]),
            info("scope_logit", TensorProto.FLOAT, ["batch"]),
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
