"""The graph of a stage that looks vectors up and averages them: no layer, no attention.

A text's vector is the mean over its tokens of a vector for each token and one for each pair of
neighbours, which share so many buckets by a hash; a small residual layer bends it before the heads.
Tables are int8 with a scale a row; the sums are in float64 and do not depend on the batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from router.training.int8 import looked_up
from router.training.onnx_graph import Arrays, Graph, add_heads, head, model_of, unsqueezed

if TYPE_CHECKING:
    import onnx

TOKENS, PAIRS = "static.tokens", "static.pairs"
"""The tables: (pieces, width) and (buckets, width)."""

IN, OUT = "static.in", "static.out"
"""The residual layer: ``.weight`` (hidden, width) and (width, hidden), each with its ``.bias``."""

_STEP = 31
_DOUBLE = 11


def buckets_of(ids: npt.NDArray[np.int64], buckets: int) -> npt.NDArray[np.int64]:
    """The bucket of each pair of neighbours in ``ids`` (batch, tokens): (batch, tokens - 1)."""
    found: npt.NDArray[np.int64] = (ids[:, :-1] * _STEP + ids[:, 1:]) % buckets
    return found


def build_static_graph(weights: Arrays) -> onnx.ModelProto:
    """See `onnx_graph.model_of` for what goes in and comes out."""
    graph = Graph()
    # Sums of nothing but what is real: the mask is 0 at a pad, and at a pair that ends in one.
    mask = graph.add("Cast", unsqueezed(graph, "attention_mask", 2), to=_DOUBLE)
    total = _sum(graph, looked_up(graph, TOKENS, weights[TOKENS], "input_ids"), mask)
    before, after = _cut(graph, "input_ids", 0, -1), _cut(graph, "input_ids", 1, None)
    pairs = graph.add("Add", graph.add("Mul", before, graph.integers(_STEP)), after)
    bucket = graph.add("Mod", pairs, graph.integers(len(weights[PAIRS])))
    of_pairs = looked_up(graph, PAIRS, weights[PAIRS], bucket)
    total = graph.add("Add", total, _sum(graph, of_pairs, _cut(graph, mask, 1, None)))
    count = graph.add("ReduceSum", mask, graph.integers(1), keepdims=0)
    vector = graph.add("Div", total, count)
    bent = graph.add("Relu", head(graph, weights, vector, IN))
    vector = graph.add("Add", vector, head(graph, weights, bent, OUT))
    add_heads(graph, weights, vector)
    return model_of(graph, weights)


def _sum(graph: Graph, vectors: str, mask: str) -> str:
    kept = graph.add("Mul", graph.add("Cast", vectors, to=_DOUBLE), mask)
    return graph.add("ReduceSum", kept, graph.integers(1), keepdims=0)


def _cut(graph: Graph, x: str, start: int, end: int | None) -> str:
    """``x[:, start:end]``."""
    last = np.iinfo(np.int64).max if end is None else end
    return graph.add("Slice", x, graph.integers(start), graph.integers(last), graph.integers(1))
