"""A graph from anywhere: what of it a bundle must say, or why it cannot be a stage.

Everything is found by looking and by asking: the worker's install has no library that reads graphs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from tokenizers import Tokenizer

from router.errors import UsageError
from router.model.manifest import StageSpec, Tensor
from router.model.opset import opset_of

OPSETS = range(13, 24)
"""As in ``schemas/model-bundle.v1.json``."""

_INPUTS = ("input_ids", "attention_mask")
_INTENTS, _SCOPE, _FLAGS = "intent_logits", "scope_logit", "flag_logits"
_CONTRACT = "models/README.md says what a graph takes and gives."


def open_graph(content: bytes) -> tuple[ort.InferenceSession, int]:
    """A session of the graph, and its operator set.

    Raises:
        UsageError: ONNX Runtime cannot load it, or its operator set is not one of `OPSETS`.
    """
    opset = opset_of(content)
    if opset is None:
        raise UsageError("The graph is no ONNX model that names its operator set.", _CONTRACT)
    if opset not in OPSETS:
        raise UsageError(
            f"The graph is of operator set {opset}.",
            f"A bundle's is from {OPSETS[0]} to {OPSETS[-1]}: export it again with another.",
        )
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4  # what fails is raised
    try:
        session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's exceptions share no base but this one
        raise UsageError(
            f"The graph cannot be loaded: {error}.",
            "Weights in files of their own are not read: save the model as one file.",
        ) from None
    return session, opset


def stage_of(
    session: ort.InferenceSession,
    name: str,
    graph: str,
    tokenizer: str,
    max_tokens: int,
    *,
    intents: int,
    flags: int,
) -> StageSpec:
    """The graph as a stage, whose labels have so many ``intents`` and ``flags``.

    Raises:
        UsageError: its inputs or outputs are not those of a stage; says which, and what is wanted.
    """
    inputs = {arg.name: _tensor("input", arg) for arg in session.get_inputs()}
    outputs = {arg.name: _tensor("output", arg) for arg in session.get_outputs()}
    wanted = (_INTENTS, _SCOPE, *((_FLAGS,) if flags or _FLAGS in outputs else ()))
    _same_names("input", inputs, _INPUTS)
    _same_names("output", outputs, wanted)
    for one, tensor in inputs.items():
        if tensor.type != "int64" or len(tensor.shape) != 2 or not _is_free(tensor.shape):
            raise _refused(one, tensor, "int64 and free in both dimensions: batch, tokens")
    widths = {_INTENTS: intents, _FLAGS: flags}
    for one, tensor in outputs.items():
        ends = (widths[one],) if one in widths else ()
        right = tensor.shape[1:] == ends and tensor.shape and _is_free(tensor.shape[:1])
        if tensor.type not in {"float", "double"} or not right:
            shape = " × ".join(("batch, free", *map(str, ends)))
            raise _refused(one, tensor, f"float or double, {shape}, for the labels that are given")
    return StageSpec(name, graph, tokenizer, max_tokens, inputs, outputs)


def try_ids(session: ort.InferenceSession, tokenizer: Tokenizer, max_tokens: int) -> None:
    """Ask the graph the largest token id there is, and a text of ``max_tokens`` tokens.

    Raises:
        UsageError: it has no vector for one of them.
    """
    largest = max(tokenizer.get_vocab(with_added_tokens=True).values(), default=0)
    if problem := _failure(session, np.full((1, 8), largest, np.int64)):
        raise UsageError(
            f"The graph fails on the token id {largest}, which the tokenizer gives: {problem}.",
            "Graph and tokenizer are of different models, or one of them lost tokens.",
        )
    if problem := _failure(session, np.zeros((1, max_tokens), np.int64)):
        raise UsageError(
            f"The graph fails on a text of {max_tokens} tokens: {problem}.",
            "Give --max-tokens what the model was made for.",
        )


def _failure(session: ort.InferenceSession, ids: npt.NDArray[np.int64]) -> str:
    try:
        session.run([_INTENTS], {"input_ids": ids, "attention_mask": np.ones_like(ids)})
    except Exception as error:  # as above
        return str(error).strip().rstrip(".")
    return ""


def _tensor(kind: str, arg: ort.NodeArg) -> Tensor:
    if not all(isinstance(size, int | str) for size in arg.shape):
        raise UsageError(
            f"The graph's {kind} {arg.name} has a dimension without a name: {arg.shape}.",
            "Name the free dimensions at the export (torch.onnx.export: dynamic_axes).",
        )
    return Tensor(arg.type.removeprefix("tensor(").removesuffix(")"), tuple(arg.shape))


def _same_names(kind: str, found: Iterable[str], wanted: Sequence[str]) -> None:
    names = set(found)
    missing, extra = sorted(set(wanted) - names), sorted(names - set(wanted))
    if missing:
        says = f"The graph has no {kind} {missing[0]}; it has {', '.join(sorted(names)) or 'none'}."
        raise UsageError(says, _CONTRACT)
    if extra:
        raise UsageError(
            f"The graph has an {kind} {extra[0]}, which the router does not know.",
            f"A stage's {kind}s are {', '.join(wanted)}: make the rest part of the graph.",
        )


def _is_free(shape: Sequence[int | str]) -> bool:
    return all(isinstance(size, str) for size in shape)


def _refused(name: str, tensor: Tensor, wanted: str) -> UsageError:
    shape = " × ".join(map(str, tensor.shape)) or "a single number"
    return UsageError(f"The graph's {name} is {tensor.type}, {shape}.", f"It must be {wanted}.")
