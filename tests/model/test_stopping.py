"""A run of ONNX Runtime that would last for ever is ended from another thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from router.core.breaker import BreakerLimits
from router.core.prediction import Predictions, Question
from router.errors import ModelError
from router.model.calling import THREAD
from router.model.guard import Deadline, Guard
from router.model.manifest import StageSpec
from router.model.stage import Stage
from router.ops.clock import SystemClock
from tests.core.policy_fixtures import StubModel, english
from tests.model.guard_bench import Told

WITHIN = 20.0


def endless_graph() -> Any:
    """Adds one to a number, 2**62 times over."""
    number = helper.make_tensor_value_info
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["go_on"]),
            helper.make_node("Add", ["sum", "one"], ["sum_after"]),
        ],
        "body",
        [
            number("round", TensorProto.INT64, []),
            number("go", TensorProto.BOOL, []),
            number("sum", TensorProto.DOUBLE, [1]),
        ],
        [number("go_on", TensorProto.BOOL, []), number("sum_after", TensorProto.DOUBLE, [1])],
        [numpy_helper.from_array(np.ones(1), "one")],
    )
    free = ["batch", "tokens"]
    graph = helper.make_graph(
        [
            helper.make_node("Loop", ["rounds", "always", "none"], ["scope_logit"], body=body),
            helper.make_node("Cast", ["input_ids"], ["intent_logits"], to=TensorProto.DOUBLE),
        ],
        "endless",
        [
            number("input_ids", TensorProto.INT64, free),
            number("attention_mask", TensorProto.INT64, free),
        ],
        [
            number("intent_logits", TensorProto.DOUBLE, free),
            number("scope_logit", TensorProto.DOUBLE, [1]),
        ],
        [
            numpy_helper.from_array(np.array(2**62), "rounds"),
            numpy_helper.from_array(np.array(True), "always"),
            numpy_helper.from_array(np.zeros(1), "none"),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.fixture
def endless() -> Stage:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = ort.InferenceSession(
        endless_graph().SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    spec = StageSpec(name="endless", graph="", tokenizer="", max_tokens=8, inputs={}, outputs={})
    return Stage(spec, session, Tokenizer(WordLevel({"[UNK]": 0}, unk_token="[UNK]")))  # noqa: S106  # no password


def test_a_run_under_way_is_ended_and_raises(endless: Stage) -> None:
    seen: list[type[BaseException]] = []

    def run() -> None:
        try:
            endless.ask(["a"])
        except ModelError as error:
            seen.append(type(error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    deadline = time.monotonic() + WITHIN
    while thread.is_alive():
        assert time.monotonic() < deadline, "it runs on"
        endless.stop()
        thread.join(0.05)
    assert seen == [ModelError]


class Endless(StubModel):
    """Asks the endless stage before it answers."""

    stage: Stage

    def predict(self, questions: Sequence[Question]) -> Predictions:
        self.stage.ask([question.text for question in questions])
        return super().predict(questions)

    def stop(self) -> None:
        self.stage.stop()


def test_the_guard_leaves_no_thread_in_a_run_that_it_gave_up(endless: Stage) -> None:
    model = Endless()
    model.stage = endless
    limits = BreakerLimits(failures=3, share=0.5, pause=3600, longest_pause=3600, probes=2)
    guard = Guard(limits, Deadline(0.1, 0.0, 60), SystemClock(), Told())
    assert guard.ask(model, english("a"), lambda *_: None).each == [None]
    deadline = time.monotonic() + WITHIN
    while any(thread.name == THREAD for thread in threading.enumerate()):
        assert time.monotonic() < deadline, "the thread is still in the run"
        time.sleep(0.01)
