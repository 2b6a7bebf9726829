"""The ONNX graph of an encoder with its heads, built operator by operator.

Products with a weight and the words' vectors are int8, as `router.training.int8` has them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from router.training.encoder import EPSILON, WORDS, Shape
from router.training.int8 import looked_up, product, quantised_rows
from router.training.onnx_graph import (
    Array,
    Arrays,
    Graph,
    add_heads,
    model_of,
    pooled,
    unsqueezed,
)  # fmt: skip

if TYPE_CHECKING:
    import onnx

_HIDDEN = -10_000.0
"""Added to the score of a padded token: its share of attention is exactly 0 in float32."""


def build_graph(weights: Arrays, shape: Shape, max_tokens: int) -> onnx.ModelProto:
    """The encoder and its heads as int8 ONNX; see `model_of` for what goes in and comes out."""
    graph = Graph()
    add_heads(graph, weights, pooled(graph, _encoder(graph, weights, shape, max_tokens)))
    return model_of(graph, weights)


def _encoder(graph: Graph, weights: Arrays, shape: Shape, max_tokens: int) -> str:
    x = _embedded(graph, weights, max_tokens)
    hidden = graph.add(
        "Sub",
        graph.number(1),
        graph.add("Cast", unsqueezed(graph, "attention_mask", 1, 2), to=1),
    )
    bias = graph.add("Mul", hidden, graph.number(_HIDDEN))
    for layer in range(shape.layers):
        at = f"encoder.layer.{layer}."
        mixed = _attention(graph, weights, x, bias, at=at, heads=shape.heads)
        x = _norm(graph, weights, f"{at}attention.output.LayerNorm", graph.add("Add", x, mixed))
        inner = _gelu(graph, _linear(graph, weights, x, f"{at}intermediate.dense"))
        out = _linear(graph, weights, inner, f"{at}output.dense")
        x = _norm(graph, weights, f"{at}output.LayerNorm", graph.add("Add", x, out))
    return x


def _embedded(graph: Graph, weights: Arrays, max_tokens: int) -> str:
    words = looked_up(graph, "words", weights[WORDS], "input_ids")
    # The one token type there is belongs to every position.
    places = (
        weights["embeddings.position_embeddings.weight"][:max_tokens]
        + weights["embeddings.token_type_embeddings.weight"][0]
    )
    tokens = graph.add("Shape", "input_ids", start=1, end=2)
    places = graph.add(
        "Slice", graph.constant("places", places), graph.integers(0), tokens, graph.integers(0)
    )
    return _norm(graph, weights, "embeddings.LayerNorm", graph.add("Add", words, places))


def _attention(graph: Graph, weights: Arrays, x: str, bias: str, *, at: str, heads: int) -> str:
    parts = ("query", "key", "value")
    names = [f"{at}attention.self.{part}" for part in parts]
    # One product for the three: their columns, and so their scales, stay apart.
    weight = np.concatenate([weights[f"{name}.weight"] for name in names])
    shift = np.concatenate([weights[f"{name}.bias"] for name in names])
    together = _product(graph, f"{at}attention.self", quantised_rows(graph, x), weight, shift)
    graph.add_split(together, names)
    width = shift.shape[0] // 3 // heads
    apart = graph.integers(0, 0, heads, width)

    def headed(name: str, order: list[int]) -> str:
        return graph.add("Transpose", graph.add("Reshape", name, apart), perm=order)

    query, key = headed(names[0], [0, 2, 1, 3]), headed(names[1], [0, 2, 3, 1])
    scores = graph.add("MatMul", query, key)
    scores = graph.add("Mul", scores, graph.number(1 / math.sqrt(width)))
    shares = graph.add("Softmax", graph.add("Add", scores, bias), axis=-1)
    mixed = graph.add("MatMul", shares, headed(names[2], [0, 2, 1, 3]))
    mixed = graph.add("Transpose", mixed, perm=[0, 2, 1, 3])
    mixed = graph.add("Reshape", mixed, graph.integers(0, 0, heads * width))
    return _linear(graph, weights, mixed, f"{at}attention.output.dense")


def _linear(graph: Graph, weights: Arrays, x: str, name: str) -> str:
    weight, shift = weights[f"{name}.weight"], weights[f"{name}.bias"]
    return _product(graph, name, quantised_rows(graph, x), weight, shift)


def _product(graph: Graph, name: str, rows: tuple[str, str], weight: Array, shift: Array) -> str:
    scaled = product(graph, name, rows, weight.T)
    return graph.add("Add", scaled, graph.constant(f"{name}.bias", shift))


def _norm(graph: Graph, weights: Arrays, name: str, x: str) -> str:
    scale = graph.constant(f"{name}.weight", weights[f"{name}.weight"])
    shift = graph.constant(f"{name}.bias", weights[f"{name}.bias"])
    return graph.add("LayerNormalization", x, scale, shift, axis=-1, epsilon=EPSILON)


def _gelu(graph: Graph, x: str) -> str:
    bent = graph.add("Erf", graph.add("Div", x, graph.number(math.sqrt(2))))
    bent = graph.add("Mul", x, graph.add("Add", bent, graph.number(1)))
    return graph.add("Mul", bent, graph.number(0.5))
