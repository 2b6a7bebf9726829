"""Somebody's graph, tokenizer and labels become a bundle, or are refused with the reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from router.core.prediction import Question
from router.errors import BundleError, RouterError, UsageError
from router.model.bundle import read_bundle
from router.model.classifier import load_classifier
from router.model.manifest import SCHEMA
from router.model.packaging import Parts, package
from tests.model.tiny import FLAGS, INTENTS, SURE, TinyStage, write_bundle

FLAGGED = {"card": (5.0, -5.0)}


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    made = write_bundle(
        tmp_path / "made" / "1", TinyStage("only", {"card": SURE}, scope=0.1, flags=FLAGGED)
    )
    return Parts(
        made / "only.onnx", made / "only.json", made / "labels.json", ("en", "de"), 16,
        made / "calibration.json",
    )  # fmt: skip


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "models" / "ours" / "1"


def test_a_bundle_is_made_that_verifies_and_answers_as_the_graph_does(
    parts: Parts, out: Path
) -> None:
    parts = replace(parts, samples=[Question("card", "en")])
    made, _ = package(parts, out)
    assert (made.ref.name, made.ref.version) == ("ours", "1")
    bundle = read_bundle(out)
    assert (bundle.intents, bundle.flags) == (INTENTS, FLAGS)
    assert bundle.manifest.languages == ("en", "de")
    assert bundle.manifest.opset == 17
    sample = bundle.manifest.samples[-1]
    assert (sample.text, sample.intent, sample.flags) == ("card", "lost_card", ("vulnerable",))
    given = load_classifier(parts.graph.parent).predict([Question("card", "en")])
    assert made.predict([Question("card", "en")]).answers == given.answers


def test_the_same_parts_give_the_same_bundle(parts: Parts, tmp_path: Path) -> None:
    refs = [package(parts, tmp_path / where / "ours" / "1")[0].ref for where in ("a", "b")]
    assert refs[0] == refs[1]


def test_what_is_missing_is_said_and_stands_in_the_card(parts: Parts, out: Path) -> None:
    _, missing = package(replace(parts, calibration=None, languages=("en", "cs")), out)
    told = " ".join(missing)
    for what in ("No calibration", "encoder", "trained and measured", "No sample in language cs"):
        assert what in told
    card = (out / "README.md").read_text()
    assert all(sentence in card for sentence in missing)
    assert "vulnerable, fraud" in card


def test_what_is_stated_about_a_model_stands_in_its_manifest(
    parts: Parts, out: Path, tmp_path: Path
) -> None:
    source = {"file": "x.csv", "sha256": "0" * 64, "licence": "MIT", "source": "us"}
    about = {
        "encoder": {"name": "none", "licence": "MIT", "source": "us"},
        "data": [source],
        "metrics": {"heldout.csv": {"accuracy": 0.9}},
    }
    (tmp_path / "about.json").write_text(json.dumps(about))
    _, missing = package(replace(parts, about=tmp_path / "about.json"), out)
    assert missing == []
    whole = read_bundle(out).manifest.whole
    assert {key: whole[key] for key in about} == about
    assert whole["schema"] == SCHEMA
    assert "**x.csv**, us, MIT" in (out / "README.md").read_text()


def test_a_version_that_is_there_is_never_written_over(parts: Parts, out: Path) -> None:
    package(parts, out)
    with pytest.raises(UsageError, match="is there already"):
        package(parts, out)


Change = Callable[[Any], None]


def _rename_output(model: Any) -> None:
    model.graph.node[4].output[0] = model.graph.output[0].name = "logits"


def _add_input(model: Any) -> None:
    extra = helper.make_tensor_value_info("token_type_ids", TensorProto.INT64, ["batch", "tokens"])
    model.graph.input.append(extra)


def _fix_batch(model: Any) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1


def _unname(model: Any) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[0].ClearField("dim_param")


def _drop_scope(model: Any) -> None:
    del model.graph.output[1]


def _drop_flags(model: Any) -> None:
    del model.graph.output[2]


def _old_opset(model: Any) -> None:
    model.opset_import[0].version = 12


def _constant(name: str, value: Any) -> Change:
    def change(model: Any) -> None:
        for tensor in model.graph.initializer:
            if tensor.name == name:
                tensor.CopyFrom(numpy_helper.from_array(np.asarray(value), name))

    return change


def _mix_rows(model: Any) -> None:
    """Add to every row the sum of all: what a scale a batch does, only more."""
    nodes = model.graph.node
    nodes[4].output[0] = "own"
    everything = numpy_helper.from_array(np.array([0], np.int64), "rows_axis")
    model.graph.initializer.append(everything)
    nodes.append(helper.make_node("ReduceSum", ["own", "rows_axis"], ["sum"], keepdims=1))
    nodes.append(helper.make_node("Sub", ["own", "sum"], ["intent_logits"]))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (_rename_output, r"no output intent_logits; it has .*logits"),
        (_drop_scope, "no output scope_logit"),
        (_drop_flags, "no output flag_logits"),
        (_add_input, "an input token_type_ids, which the router does not know"),
        (_fix_batch, "input_ids is int64, 1 × tokens.*free in both"),
        (_unname, "input_ids has a dimension without a name"),
        (_old_opset, "operator set 12.*from 13 to 23"),
        (_constant("table", np.zeros((1, 3))), r"fails on the token id 1"),
        (_constant("table", np.full((2, 3), np.nan)), "not finite"),
    ],
)
def test_a_graph_that_cannot_work_is_refused_and_nothing_is_written(
    parts: Parts, out: Path, change: Change, problem: str
) -> None:
    model = onnx.load(parts.graph)
    change(model)
    parts.graph.write_bytes(model.SerializeToString())
    with pytest.raises(RouterError, match=problem):
        package(parts, out)
    assert list(out.parent.iterdir()) == []


def test_a_graph_whose_rows_change_each_other_is_refused(parts: Parts, out: Path) -> None:
    model = onnx.load(parts.graph)
    _mix_rows(model)
    parts.graph.write_bytes(model.SerializeToString())
    samples = [Question("card", "en"), Question("card card", "en")]
    with pytest.raises(BundleError, match="otherwise among other texts"):
        package(replace(parts, samples=samples), out)


def test_labels_of_another_number_than_the_logits_are_refused(parts: Parts, out: Path) -> None:
    parts.labels.write_text(json.dumps({"intents": ["a", "b"], "flags": FLAGS}))
    with pytest.raises(UsageError, match=r"intent_logits is double, batch × 3.*× 2"):
        package(parts, out)


def test_a_graph_that_cannot_read_so_many_tokens_is_refused(parts: Parts, out: Path) -> None:
    model = onnx.load(parts.graph)
    # A table of positions, of which there are eight.
    places = numpy_helper.from_array(np.zeros((1, 8, 1)), "places")
    model.graph.initializer.append(places)
    model.graph.node[2].output[0] = "bare"
    model.graph.node.insert(3, helper.make_node("Add", ["bare", "places"], ["column"]))
    parts.graph.write_bytes(model.SerializeToString())
    with pytest.raises(UsageError, match="fails on a text of 16 tokens"):
        package(parts, out)


@pytest.mark.parametrize(
    ("part", "content", "problem"),
    [
        ("graph", "no graph", "is no ONNX model"),
        ("tokenizer", "{}", "cannot be loaded"),
        ("labels", "[]", "is no JSON object"),
        ("labels", "{", "is not JSON"),
        ("labels", "{}", r'must hold \{"intents"'),
        ("labels", '{"intents": ["a", "b", "b"], "flags": ["x", "y"]}', "intents twice"),
        ("calibration", '{"stages": {}}', "must be an object"),
        ("about", '{"name": "other"}', "has name"),
    ],
)
def test_a_part_that_is_none_is_refused_naming_it(
    parts: Parts, out: Path, part: str, content: str, problem: str
) -> None:
    path = parts.graph.with_name(part)
    path.write_text(content)
    changed: dict[str, Any] = {part: path}
    with pytest.raises(RouterError, match=problem) as caught:
        package(replace(parts, **changed), out)
    assert ".new" not in str(caught.value)
    assert not out.exists()
