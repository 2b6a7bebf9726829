"""A graph beside what was made of it in int8, both asked the same invented token ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from router.errors import UsageError
from router.training.onnx_graph import Array

_IDS, _MASK = "input_ids", "attention_mask"
_KNOWN = frozenset({_IDS, _MASK, "token_type_ids"})
_TEXTS, _TOKENS = 16, 16
_SEED = 7
_FUSED = 0.05
"""How far the optimised graph may lie from what is written: a rounding that falls the other way
moves an answer by a hundredth, a wrong fusion by its whole size."""

Answers = Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class Compared:
    """By output, the largest difference as a share of the largest value that it had in float32:
    ``off`` to float32, ``company`` between a text alone and among others."""

    off: Mapping[str, float]
    company: Mapping[str, float]


def compare(before: bytes, after: bytes, pieces: int) -> Compared | str:
    """Both graphs' answers compared, or why they could not be asked. Ids are below ``pieces``.

    Raises:
        UsageError: ONNX Runtime's optimised session computes something else than is written.
    """
    session = _session(after)
    if not pieces or not _is_an_encoder(session):
        return "it is no encoder that takes token ids, free in batch and tokens, and gives floats"
    inputs = _inputs(session, pieces)
    try:
        wanted = _ask(_session(before), inputs)
    except Exception as error:  # ONNX Runtime's exceptions share no base but this one
        return f"it fails on {_TEXTS} texts of {_TOKENS} tokens: {str(error).strip()}"
    given = _ask(session, inputs)
    sizes = {name: float(np.abs(value).max()) or 1.0 for name, value in wanted.items()}
    written = _distance(_ask(_session(after, optimise=False), inputs), given, sizes)
    if max(written.values()) > _FUSED:
        raise UsageError(
            "ONNX Runtime optimises the int8 graph into one that computes something else.",
            "Try another version of onnxruntime, or of the graph's export.",
        )
    alone = [
        _ask(session, {name: value[[row]] for name, value in inputs.items()})
        for row in range(_TEXTS)
    ]
    apart = [
        _distance({name: value[0] for name, value in one.items()}, _row(given, row), sizes)
        for row, one in enumerate(alone)
    ]
    company = {name: max(one[name] for one in apart) for name in sizes}
    return Compared(_distance(given, wanted, sizes), company)


def _session(content: bytes, *, optimise: bool = True) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4  # what fails is raised
    if not optimise:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def _is_an_encoder(session: ort.InferenceSession) -> bool:
    """Its inputs are an encoder's, and free; each of its outputs has a row a text."""
    inputs, outputs = session.get_inputs(), session.get_outputs()
    names = {one.name for one in inputs}
    return (
        {_IDS} <= names <= _KNOWN
        and all(one.type in {"tensor(int64)", "tensor(int32)"} for one in inputs)
        and all(_are_free(one.shape, 2) and len(one.shape) == 2 for one in inputs)
        and all(one.type in {"tensor(float)", "tensor(double)"} for one in outputs)
        and all(_are_free(one.shape, 1) for one in outputs)
    )


def _are_free(shape: Sequence[object], first: int) -> bool:
    return len(shape) >= first and not any(isinstance(size, int) for size in shape[:first])


def _inputs(session: ort.InferenceSession, pieces: int) -> dict[str, npt.NDArray[np.int64]]:
    """Texts of all lengths up to the widest, padded with zeros."""
    random = np.random.default_rng(_SEED)
    mask = (np.arange(_TOKENS) < 1 + np.arange(_TEXTS)[::-1, None] % _TOKENS).astype(np.int64)
    ids = random.integers(0, pieces, mask.shape) * mask
    values = {_IDS: ids, _MASK: mask, "token_type_ids": np.zeros_like(ids)}
    return {
        one.name: values[one.name].astype(np.int32 if one.type == "tensor(int32)" else np.int64)
        for one in session.get_inputs()
    }


def _ask(session: ort.InferenceSession, inputs: Answers) -> dict[str, Array]:
    names = [one.name for one in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def _row(answers: Answers, row: int) -> dict[str, Array]:
    return {name: value[row] for name, value in answers.items()}


def _distance(one: Answers, other: Answers, sizes: Mapping[str, float]) -> dict[str, float]:
    return {name: float(np.abs(one[name] - other[name]).max()) / sizes[name] for name in sizes}
