"""What stands in a graph for a product with a constant weight, and for a look-up in a table.

The product takes int8 weights with a scale a column, and activations that are quantised a row at a
time, so that a text's numbers do not depend on what else is in the batch. Products that read the
same rows share them quantised.

A trap: ONNX Runtime fuses ``Mul(Cast(MatMulInteger), Mul(a, b))`` into an operator that takes
``a`` for one number of the whole tensor, in silence. So one scale is multiplied after the other,
and a test compares the optimised session with an unoptimised one.
"""

from __future__ import annotations

import numpy as np

from router.training.onnx_graph import Array, Graph
from router.training.quantise import by_column, by_row


def quantised_rows(graph: Graph, x: str) -> tuple[str, str]:
    """``x`` as uint8 around 128, and the scale of each row."""
    largest = graph.add_largest(graph.add("Abs", x))
    scale = graph.add("Mul", largest, graph.number(1 / 127))
    # A row of zeros stays one instead of becoming 0 / 0.
    scale = graph.add("Max", scale, graph.number(1e-30))
    whole = graph.add("Round", graph.add("Div", x, scale))
    shifted = graph.add("Add", whole, graph.number(128))
    return graph.add("Cast", shifted, to=2), scale


def product(graph: Graph, name: str, rows: tuple[str, str], weight: Array) -> str:
    """``rows``, from `quantised_rows`, times ``weight`` (in, out); ``name`` is the weight's."""
    quantised, scale = by_column(weight)
    zero = graph.constant("zero_point", np.array(128, np.uint8))
    whole = graph.add("MatMulInteger", rows[0], graph.constant(f"{name}.int8", quantised), zero)
    scaled = graph.add("Mul", graph.add("Cast", whole, to=1), rows[1])
    return graph.add("Mul", scaled, graph.constant(f"{name}.scale", scale[0]))


def looked_up(graph: Graph, name: str, table: Array, ids: str) -> str:
    """The rows of ``table`` at ``ids``, which are int8 until they are found."""
    values, scale = by_row(table)
    rows = graph.add("Gather", graph.constant(name, values), ids)
    scales = graph.add("Gather", graph.constant(f"{name}.scale", scale), ids)
    return graph.add("Mul", graph.add("Cast", rows, to=1), scales)
