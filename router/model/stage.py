"""One stage of a bundle: a tokenizer and a graph, asked for the raw numbers of texts."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer

from router.core.calibration import Floats
from router.errors import BundleError, ModelError
from router.model.manifest import StageSpec, Tensor
from router.model.tokens import by_width, padded_to, tokenise

ROOM = 1024
"""Most padded tokens in one run of the graph: enough to be fast, little enough memory."""

_OUTPUTS = ("intent_logits", "scope_logit")
_FLAGS = "flag_logits"


@dataclass(frozen=True, slots=True)
class RawBatch:
    """Each text's numbers as the graph gives them, a row each."""

    logits: Floats
    others: Floats
    """The scope's logit and then the flags'."""
    truncated: list[bool]
    tokenise_seconds: float
    infer_seconds: float

    @property
    def scope(self) -> Floats:
        return self.others[:, 0]

    @property
    def flags(self) -> Floats:
        return self.others[:, 1:]


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
        """The numbers of ``texts``, at least one, in order.

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
        tokens = tokenise(self._tokenizer, texts, self.spec.max_tokens)
        tokenised = time.perf_counter()
        order: list[int] = []
        found = []
        for width, indices in by_width(list(map(len, tokens.ids)), self.spec.max_tokens, ROOM):
            order += indices
            found.append(self._run([tokens.ids[index] for index in indices], width, options))
        logits, others = (_in_order(parts, order) for parts in zip(*found, strict=True))
        inferred = time.perf_counter()
        return RawBatch(logits, others, tokens.truncated, tokenised - began, inferred - tokenised)

    def _run(
        self, chosen: Sequence[Sequence[int]], width: int, options: ort.RunOptions
    ) -> tuple[Floats, Floats]:
        ids, mask = padded_to(width, chosen)
        try:
            inputs = {"input_ids": ids, "attention_mask": mask}
            logits, scope, *flags = self._session.run(self._outputs, inputs, options)
        except Exception as error:  # ONNX Runtime's exceptions share no base but this one
            # Its messages may quote shapes, never text: the inputs are numbers.
            raise ModelError(f"Stage {self.spec.name} failed: {type(error).__name__}.") from error
        if {len(logits), len(scope), *map(len, flags)} != {len(chosen)}:
            raise ModelError(f"Stage {self.spec.name} gave numbers of another number of texts.")
        others = np.concatenate((scope[:, np.newaxis], *flags), axis=1, dtype=np.float64)
        return np.asarray(logits, np.float64), others


def _in_order(parts: Sequence[Floats], order: Sequence[int]) -> Floats:
    """The rows of ``parts``, of which the first belongs at the first place in ``order``."""
    if len(parts) == 1:
        return parts[0]
    found = np.empty((len(order), parts[0].shape[1]))
    found[order] = np.concatenate(parts)
    return found


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
