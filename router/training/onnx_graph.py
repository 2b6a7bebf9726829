"""An ONNX graph built operator by operator, and what every stage's graph ends in: the mean over its
tokens, and the heads, whose sums do not depend on what else is in the batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from router.training.heads import FLAGS, INTENT, SCOPE

if TYPE_CHECKING:
    import onnx

OPSET = 17
"""The first with LayerNormalization as one operator."""

_AXES_ARE_AN_INPUT = 18
"""From this operator set on, those of ReduceMax."""

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]


@dataclass(slots=True)
class Graph:
    """Nodes and constants as they are added; every method gives the name of its result.

    ``prefix`` goes before the names that are made here, where somebody else's stand beside them.
    """

    nodes: list[Any] = field(default_factory=list)
    constants: dict[str, Array] = field(default_factory=dict)
    opset: int = OPSET
    prefix: str = ""

    def add(self, operator: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        from onnx import helper  # noqa: PLC0415 - heavy: only when exporting

        name = name or f"{self.prefix}{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def add_split(self, x: str, names: Sequence[str]) -> None:
        """``x`` in equal parts along its last axis, under ``names``."""
        from onnx import helper  # noqa: PLC0415 - heavy: only when exporting

        self.nodes.append(helper.make_node("Split", [x], names, axis=-1))

    def add_largest(self, x: str) -> str:
        """The largest value of each row of ``x``, which keeps its rank."""
        if self.opset < _AXES_ARE_AN_INPUT:
            return self.add("ReduceMax", x, axes=[-1], keepdims=1)
        return self.add("ReduceMax", x, self.integers(-1), keepdims=1)

    def constant(self, name: str, value: Array) -> str:
        name = f"{self.prefix}{name}"
        self.constants[name] = value
        return name

    def number(self, value: float) -> str:
        return self.constant(f"number_{value}", np.array(value, np.float32))

    def integers(self, *values: int) -> str:
        return self.constant(f"integers_{'_'.join(map(str, values))}", np.array(values, np.int64))


def pooled(graph: Graph, x: str) -> str:
    """The mean over the mask in float64, as are the heads: in float32 the order of adding shows
    in the fourth place once in a while."""
    kept = graph.add("Cast", unsqueezed(graph, "attention_mask", 2), to=11)
    total = graph.add(
        "ReduceSum",
        graph.add("Mul", graph.add("Cast", x, to=11), kept),
        graph.integers(1),
        keepdims=0,
    )
    return graph.add("Div", total, graph.add("ReduceSum", kept, graph.integers(1), keepdims=0))


def add_heads(graph: Graph, weights: Arrays, vectors: str) -> None:
    """The outputs of a stage from the vectors (batch by width, double) of its texts."""
    intents = head(graph, weights, vectors, INTENT)
    graph.add("Identity", intents, name="intent_logits")
    scope = head(graph, weights, vectors, SCOPE)
    graph.add("Squeeze", scope, graph.integers(1), name="scope_logit")
    if f"{FLAGS}.weight" in weights:
        graph.add("Identity", head(graph, weights, vectors, FLAGS), name="flag_logits")


def head(graph: Graph, weights: Arrays, vectors: str, name: str) -> str:
    """Products and sums instead of one matrix product, which would be computed otherwise for
    one text than for many."""
    table = graph.constant(f"{name}.weight", weights[f"{name}.weight"].astype(np.float64))
    products = graph.add("Mul", unsqueezed(graph, vectors, 1), table)
    sums = graph.add("ReduceSum", products, graph.integers(-1), keepdims=0)
    shift = graph.constant(f"{name}.bias", weights[f"{name}.bias"].astype(np.float64))
    return graph.add("Add", sums, shift)


def unsqueezed(graph: Graph, x: str, *axes: int) -> str:
    return graph.add("Unsqueeze", x, graph.integers(*axes))


def model_of(graph: Graph, weights: Arrays) -> onnx.ModelProto:
    """The model: ``input_ids`` and ``attention_mask`` (int64, batch by tokens) in,
    ``intent_logits`` (double, batch by intents), ``scope_logit`` (double, batch) and, where there
    is a head for them, ``flag_logits`` (double, batch by flags) out."""
    from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415 - only when exporting

    free = ["batch", "tokens"]
    intents = weights[f"{INTENT}.bias"].shape[0]
    flags = weights[f"{FLAGS}.bias"].shape[0] if f"{FLAGS}.bias" in weights else 0
    return helper.make_model(
        helper.make_graph(
            graph.nodes,
            "router",
            [
                helper.make_tensor_value_info("input_ids", TensorProto.INT64, free),
                helper.make_tensor_value_info("attention_mask", TensorProto.INT64, free),
            ],
            [
                helper.make_tensor_value_info(
                    "intent_logits", TensorProto.DOUBLE, ["batch", intents]
                ),
                helper.make_tensor_value_info("scope_logit", TensorProto.DOUBLE, ["batch"]),
                *(
                    [
                        helper.make_tensor_value_info(
                            "flag_logits", TensorProto.DOUBLE, ["batch", flags]
                        )
                    ]
                    if flags
                    else []
                ),
            ],
            [numpy_helper.from_array(value, name) for name, value in graph.constants.items()],
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=8,
        producer_name="router",
    )
