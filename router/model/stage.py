"""One stage of a bundle: a tokenizer and a graph, asked for the raw numbers of texts."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer

from router.errors import BundleError, ModelError
from router.model.manifest import StageSpec, Tensor
from router.model.tokens import Tokens, by_width, tokenise

if TYPE_CHECKING:
    from router.core.calibration import Floats

ROOM = 1024
"""Most padded tokens in one run of the graph: enough to be fast, little enough memory."""

_OUTPUTS = ("intent_logits", "scope_logit")
_FLAGS = "flag_logits"


@dataclass(frozen=True, slots=True)
class Raw:
    """One text's numbers as the graph gives them."""

    logits: Floats
    scope: float
    flags: tuple[float, ...]
    truncated: bool


@dataclass(frozen=True, slots=True)
class RawBatch:
    rows: tuple[Raw, ...]
    tokenise_seconds: float
    infer_seconds: float


class Asked(Protocol):
    """A stage as a classifier asks it; see `Stage`."""

    spec: StageSpec

    def stop(self) -> None: ...

    def ask(self, texts: Sequence[str]) -> RawBatch: ...


class Stage:
    """Safe to share between threads: a session's run and a tokenizer's encode are."""

    def __init__(
        self, spec: StageSpec, session: ort.InferenceSession, tokenizer: Tokenizer
    ) -> None:
        self.spec = spec
        self._session = session
        self._tokenizer = tokenizer
        self._outputs = (*_OUTPUTS, _FLAGS) if _FLAGS in spec.outputs else _OUTPUTS
        self._under_way: set[ort.RunOptions] = set()

    def stop(self) -> None:
        """End every `ask` under way, between two operators of its graph; each raises ModelError."""
        for options in tuple(self._under_way):
            options.terminate = True

    def ask(self, texts: Sequence[str]) -> RawBatch:
        """The numbers of ``texts``, one each, in order.

        Raises:
            ModelError: ONNX Runtime failed.
        """
        options = ort.RunOptions()
        options.log_severity_level = 4  # what fails is raised, and its line here would be no JSON
        self._under_way.add(options)
        try:
            return self._ask(texts, options)
        finally:
            self._under_way.discard(options)

    def _ask(self, texts: Sequence[str], options: ort.RunOptions) -> RawBatch:
        began = time.perf_counter()
        tokens = [tokenise(self._tokenizer, text, self.spec.max_tokens) for text in texts]
        tokenised = time.perf_counter()
        rows: list[Raw | None] = [None] * len(tokens)
        for width, indices in by_width(tokens, self.spec.max_tokens, ROOM):
            chosen = [tokens[index] for index in indices]
            for index, raw in zip(indices, self._run(chosen, width, options), strict=True):
                rows[index] = raw
        inferred = time.perf_counter()
        return RawBatch(
            rows=tuple(row for row in rows if row is not None),
            tokenise_seconds=tokenised - began,
            infer_seconds=inferred - tokenised,
        )

    def _run(self, chosen: Sequence[Tokens], width: int, options: ort.RunOptions) -> list[Raw]:
        ids = np.zeros((len(chosen), width), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(chosen):
            ids[row, : len(tokens.ids)] = tokens.ids
            mask[row, : len(tokens.ids)] = 1
        try:
            inputs = {"input_ids": ids, "attention_mask": mask}
            logits, scope, *flags = self._session.run(self._outputs, inputs, options)
        except Exception as error:  # ONNX Runtime's exceptions share no base but this one
            # Its messages may quote shapes, never text: the inputs are numbers.
            raise ModelError(f"Stage {self.spec.name} failed: {type(error).__name__}.") from error
        return [
            Raw(
                logits=np.asarray(logits[row], np.float64),
                scope=float(scope[row]),
                flags=tuple(map(float, flags[0][row])) if flags else (),
                truncated=tokens.truncated,
            )
            for row, tokens in enumerate(chosen)
        ]


def open_stage(
    spec: StageSpec, graph: bytes, tokenizer: bytes, threads: int, *, optimise: bool = True
) -> Stage:
    """A stage from the verified bytes of its two files, run on ``threads`` threads.

    Raises:
        BundleError: one of them cannot be loaded, or the graph is not what ``spec`` says.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # A worker waits for Kafka most of the time: threads that spin meanwhile burn its processors.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if not optimise:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # as above
        raise BundleError(f"The graph {spec.graph} cannot be loaded: {error}.") from None
    _compare(spec, "input", spec.inputs, session.get_inputs())
    _compare(spec, "output", spec.outputs, session.get_outputs())
    try:
        loaded = Tokenizer.from_buffer(tokenizer)
    except Exception as error:  # the library raises plain Exception
        raise BundleError(f"The tokenizer {spec.tokenizer} cannot be loaded: {error}.") from None
    loaded.no_padding()
    loaded.no_truncation()
    return Stage(spec, session, loaded)


def _compare(
    spec: StageSpec, kind: str, wanted: Mapping[str, Tensor], found: Sequence[ort.NodeArg]
) -> None:
    real = {arg.name: Tensor(_element(arg.type), tuple(arg.shape)) for arg in found}
    if real != dict(wanted):
        raise BundleError(
            f"The {kind}s of {spec.graph} are not those of stage {spec.name}: {real}.",
            "Graph and manifest are of different models: export the bundle again.",
        )


def _element(onnx_type: str) -> str:
    return onnx_type.removeprefix("tensor(").removesuffix(")")
