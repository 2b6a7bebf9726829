"""Somebody's float32 graph with int8 in the place of its weights: the products and look-ups of
`router.training.int8`, put where theirs were."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from router.errors import UsageError
from router.model.foreign_graph import open_graph
from router.training.int8 import looked_up, product, quantised_rows
from router.training.onnx_graph import Array, Graph

if TYPE_CHECKING:
    import onnx

LARGE = 1 << 20
"""A table of fewer bytes stays as it is: int8 would save next to nothing."""

_QUANTISED = frozenset({
    "DequantizeLinear", "DynamicQuantizeLinear", "QuantizeLinear",
    "ConvInteger", "MatMulInteger", "QLinearConv", "QLinearMatMul",
    "DynamicQuantizeMatMul", "MatMulIntegerToFloat", "MatMulNBits", "QAttention", "QGemm",
})  # fmt: skip
_HOLD_WEIGHTS = frozenset({"Constant", "Identity", "Transpose"})
_OURS = "int8/"


@dataclass(frozen=True, slots=True)
class Quantised:
    """``products`` and ``tables`` are how many nodes were changed; token ids are below ``pieces``,
    which is 0 where no table says so."""

    content: bytes
    products: int
    tables: int
    pieces: int


def quantise(content: bytes, path: Path, *, large: int = LARGE) -> Quantised:
    """The graph in ``content`` with int8 products and tables; ``path`` names it in errors.

    Changed is each MatMul and Gemm with a constant float32 weight of two dimensions, and each
    Gather from a constant float32 table of at least ``large`` bytes; all else stays.

    Raises:
        UsageError: it is no ONNX graph that ONNX Runtime loads, of an operator set that a bundle
            may have, in one file; it is quantised already, or has nothing to quantise.
    """
    model = _parsed(content, path)
    open_graph(content)
    operators = {node.op_type for graph in _graphs(model.graph) for node in graph.node}
    if done := sorted(operators & _QUANTISED):
        raise UsageError(
            f"{path} is quantised already: it has {', '.join(done)}.",
            "Give the float32 model that it was made from.",
        )
    pieces = _pieces(model.graph)
    changed = _Rewriting(model, large)
    changed.run()
    if not changed.products and not changed.tables:
        raise UsageError(
            f"{path} has nothing to quantise: no MatMul or Gemm with a constant float32 weight of "
            f"two dimensions, no Gather from a constant float32 table of {large:,} bytes or more.",
            "Export the model in float32, with its weights as constants.",
        )
    made = model.SerializeToString(deterministic=True)
    open_graph(made)
    return Quantised(made, changed.products, changed.tables, pieces)


def _parsed(content: bytes, path: Path) -> onnx.ModelProto:
    import onnx  # noqa: PLC0415 - heavy: only when quantising
    from onnx import inliner  # noqa: PLC0415 - heavy, likewise

    try:
        model = onnx.load_model_from_string(content)
    except Exception as error:  # protobuf's exception differs between its versions
        raise UsageError(f"{path} is no ONNX model: {error}.") from None
    tensors = [tensor for graph in _graphs(model.graph) for tensor in graph.initializer]
    if any(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in tensors):
        raise UsageError(
            f"The weights of {path} are in files of their own.",
            "Save the model as one file (onnx.save with save_as_external_data=False).",
        )
    return inliner.inline_local_functions(model) if model.functions else model


def _graphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    """``graph`` and those inside its nodes."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                if inner.node:
                    yield from _graphs(inner)


def _pieces(graph: onnx.GraphProto) -> int:
    """The rows of the smallest table that token ids are looked up in."""
    ids = {"input_ids"}
    for node in graph.node:
        if node.op_type in {"Cast", "Identity"} and node.input[0] in ids:
            ids.add(node.output[0])
    looked = {n.input[0] for n in graph.node if n.op_type == "Gather" and n.input[1] in ids}
    return min((one.dims[0] for one in graph.initializer if one.name in looked), default=0)


class _Rewriting:
    def __init__(self, model: onnx.ModelProto, large: int) -> None:
        opset = next(one.version for one in model.opset_import if one.domain in {"", "ai.onnx"})
        self.products = self.tables = 0
        self._graph = model.graph
        self._large = large
        self._new = Graph(opset=opset, prefix=_OURS)
        self._rows: dict[str, tuple[str, str]] = {}
        self._weights = {tensor.name: tensor for tensor in model.graph.initializer}
        self._makers = {node.output[0]: node for node in model.graph.node if node.output}

    def run(self) -> None:
        from onnx import numpy_helper  # noqa: PLC0415 - heavy: only when quantising

        for node in tuple(self._graph.node):
            if (weight := self._weight_of(node)) is not None:
                self._multiply(node, weight)
                self.products += 1
            elif (table := self._table_of(node)) is not None:
                found = looked_up(self._new, node.input[0], table, node.input[1])
                self._new.add("Identity", found, name=node.output[0])
                self.tables += 1
            else:
                self._new.nodes.append(node)
        constants = self._new.constants.items()
        self._replace(self._graph.node, self._new.nodes)
        self._graph.initializer.extend(numpy_helper.from_array(v, name) for name, v in constants)
        self._drop_unused()

    def _weight_of(self, node: onnx.NodeProto) -> Array | None:
        """What the activations of ``node`` are multiplied with, (in, out)."""
        if node.op_type not in {"MatMul", "Gemm"} or node.domain:
            return None
        attributes = _attributes(node)
        weight = self._constant(node.input[1])
        if weight is None or attributes.get("transA") or self._constant(node.input[0]) is not None:
            return None
        weight = weight.T if attributes.get("transB") else weight
        # Float32 as the scales are: Gemm's factor belongs to the weight.
        return np.asarray(weight * np.float32(attributes.get("alpha", 1)), np.float32)

    def _table_of(self, node: onnx.NodeProto) -> Array | None:
        if node.op_type != "Gather" or node.domain or _attributes(node).get("axis", 0):
            return None
        table = self._constant(node.input[0])
        return None if table is None or table.nbytes < self._large else table

    def _multiply(self, node: onnx.NodeProto, weight: Array) -> None:
        x = node.input[0]
        if x not in self._rows:
            self._rows[x] = quantised_rows(self._new, x)
        result = product(self._new, self._name(node), self._rows[x], weight)
        if len(node.input) > 2 and node.input[2]:
            shift = node.input[2]
            if (times := _attributes(node).get("beta", 1)) != 1:
                shift = self._new.add("Mul", shift, self._new.number(times))
            result = self._new.add("Add", result, shift)
        self._new.add("Identity", result, name=node.output[0])

    def _name(self, node: onnx.NodeProto) -> str:
        """Of the weight as ``node`` takes it: where two take it alike it is there once."""
        attributes = _attributes(node)
        how = [f"{a}={attributes[a]}" for a in ("transB", "alpha") if a in attributes]
        return ":".join((node.input[1], *how))

    def _constant(self, name: str) -> Array | None:
        """The float32 of two dimensions that ``name`` always is, if so."""
        from onnx import numpy_helper  # noqa: PLC0415 - heavy: only when quantising

        value: Array | None = None
        if name in self._weights:
            value = numpy_helper.to_array(self._weights[name])
        elif (maker := self._makers.get(name)) is not None and not maker.domain:
            attributes = _attributes(maker)
            if maker.op_type == "Constant" and "value" in attributes:
                value = numpy_helper.to_array(attributes["value"])
            elif maker.op_type in {"Identity", "Transpose"}:
                value = self._constant(maker.input[0])
                if value is not None and list(attributes.get("perm", [1, 0])) == [1, 0]:
                    value = value.T if maker.op_type == "Transpose" else value
        fits = value is not None and value.ndim == 2 and value.dtype == np.float32 and value.size
        return value if fits else None

    def _drop_unused(self) -> None:
        """Weights that nothing reads any more, and the nodes that only held or turned them."""
        while True:
            used = {one.name for one in self._graph.output} | set(_read(self._graph))
            kept = [
                node
                for node in self._graph.node
                if node.op_type not in _HOLD_WEIGHTS or used.intersection(node.output)
            ]
            if len(kept) == len(self._graph.node):
                break
            self._replace(self._graph.node, kept)
        gone = {name for name in self._weights if name not in used}
        for field in (self._graph.initializer, self._graph.input):
            self._replace(field, [one for one in field if one.name not in gone])

    @staticmethod
    def _replace(field: Any, values: Sequence[Any]) -> None:
        values = list(values)
        del field[:]
        field.extend(values)


def _read(graph: onnx.GraphProto) -> Iterable[str]:
    return (name for one in _graphs(graph) for node in one.node for name in node.input)


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    from onnx import helper  # noqa: PLC0415 - heavy: only when quantising

    return {one.name: helper.get_attribute_value(one) for one in node.attribute}
