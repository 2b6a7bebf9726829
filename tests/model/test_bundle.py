"""A bundle is found by name or folder; nothing of it is used before all of it is vouched for."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from router.errors import BundleError
from router.model.bundle import find_bundle, read_bundle
from router.model.classifier import load_classifier
from tests.model.tiny import SURE, TinyStage, read_manifest, write_bundle, write_manifest


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "tiny" / "1", TinyStage("only", {"card": SURE}))


def test_the_reference_is_the_manifests_own_hash(bundle: Path) -> None:
    ref = read_bundle(bundle).ref
    assert (ref.name, ref.version) == ("tiny", "1")
    assert ref.hash == hashlib.sha256((bundle / "manifest.json").read_bytes()).hexdigest()


@pytest.mark.parametrize("name", ["only.onnx", "only.json", "labels.json", "calibration.json"])
def test_a_changed_file_is_refused_before_any_is_loaded(
    bundle: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(*_: object, **__: object) -> None:
        raise AssertionError("loaded before it was verified")

    monkeypatch.setattr("router.model.classifier.open_stage", load)
    content = bytearray((bundle / name).read_bytes())
    content[len(content) // 2] ^= 1
    (bundle / name).write_bytes(bytes(content))
    with pytest.raises(BundleError, match=rf"{name} is not the file of the manifest"):
        load_classifier(bundle)


def test_a_missing_file_is_named(bundle: Path) -> None:
    (bundle / "labels.json").unlink()
    with pytest.raises(BundleError, match=r"labels\.json cannot be read: No such file"):
        read_bundle(bundle)


def test_a_file_that_is_not_listed_is_refused_with_the_reason(bundle: Path) -> None:
    (bundle / "weights.bin").write_bytes(b"external data")
    with pytest.raises(BundleError, match=r"weights\.bin is not listed.*no hash covers"):
        read_bundle(bundle)


def test_a_model_card_needs_no_hash(bundle: Path) -> None:
    (bundle / "README.md").write_text("# Tiny")
    assert read_bundle(bundle).ref.name == "tiny"


def test_a_folder_in_place_of_a_file_is_refused(bundle: Path) -> None:
    (bundle / "labels.json").unlink()
    (bundle / "labels.json").mkdir()
    with pytest.raises(BundleError, match=r"labels\.json cannot be read"):
        read_bundle(bundle)


def _set(*path: str | int, to: object) -> Callable[[dict[str, Any]], None]:
    def change(manifest: dict[str, Any]) -> None:
        inner: Any = manifest
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = to

    return change


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (_set("schema", to="model-bundle/v2"), r"at schema"),
        (_set("opset", to=9), r"at opset"),
        (_set("stages", to=[]), r"at stages"),
        (_set("labels", to="../labels.json"), r"at labels"),
        (_set("stages", 0, "graph", to="/etc/passwd"), r"at stages\.0\.graph"),
        (_set("stages", 0, "max_tokens", to=4), r"at stages\.0\.max_tokens"),
        (_set("stages", 0, "graph", to="other.onnx"), r"uses other\.onnx but lists no hash"),
        (
            _set("stages", 0, "outputs", "intent_logits", "shape", to=["batch", 4]),
            r"gives \(4,\) intent_logits for 3 labels",
        ),
        (
            _set("stages", 0, "outputs", "scope_logit", "type", to="float"),
            r"outputs of only\.onnx are not those of stage only",
        ),
        (
            _set("stages", 0, "inputs", "token_type_ids", to={"type": "int64", "shape": []}),
            r"inputs of only\.onnx are not those of stage only",
        ),
        (_set("stages", 0, "tokenizer", to="labels.json"), r"tokenizer labels\.json cannot be"),
        (_set("stages", 0, "graph", to="labels.json"), r"graph labels\.json cannot be loaded"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused_naming_what(
    bundle: Path, change: Callable[[dict[str, Any]], None], problem: str
) -> None:
    manifest = read_manifest(bundle)
    change(manifest)
    write_manifest(bundle, manifest)
    with pytest.raises(BundleError, match=problem):
        load_classifier(bundle)


@pytest.mark.parametrize("missing", ["files", "samples", "encoder", "languages"])
def test_a_missing_field_of_the_manifest_is_named(bundle: Path, missing: str) -> None:
    manifest = read_manifest(bundle)
    del manifest[missing]
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match=f'"{missing}" is a required property'):
        read_bundle(bundle)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("manifest.json", "{", r"manifest\.json is not JSON"),
        ("labels.json", "[]", r"must hold"),
        ("labels.json", '{"intents": ["a", "a", "b"]}', r"names one of its intents twice"),
        ("labels.json", "{", r"labels\.json is not JSON"),
        ("labels.json", '{"intents": []}', r"must name at least one intent"),
        ("labels.json", '{"intents": ["a"], "flags": "b"}', r'must hold \{"flags"'),
        ("calibration.json", "[]", r'must hold \{"stages"'),
        ("calibration.json", '{"stages": {}}', r"stage only: \$ must be an object"),
        (
            "calibration.json",
            '{"stages": {"only": {"temperature": 0, "scope_a": 1, "scope_b": 0,'
            ' "accept": 0, "set_least": 0}}}',
            r"temperature must be above 0",
        ),
        (
            "calibration.json",
            '{"stages": {"only": {"temperature": "warm", "scope_a": 1, "scope_b": 0,'
            ' "accept": 0, "set_least": 0}}}',
            r"temperature must be a number",
        ),
    ],
)
def test_a_malformed_file_is_refused_naming_it(
    bundle: Path, name: str, content: str, problem: str
) -> None:
    manifest = read_manifest(bundle)
    (bundle / name).write_text(content)
    if name != "manifest.json":
        write_manifest(bundle, manifest)
    with pytest.raises(BundleError, match=problem):
        read_bundle(bundle)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"flags": {"fraud": [1, 0]}}, "flags must be of the labels' flags: none"),
        ({"set_least_of": {"mortgage": 0.1}}, "set_least_of.mortgage is no intent"),
        ({"set_least_of": {"fees": 2}}, "set_least_of.fees must be from 0 to 1"),
        ({"languages": {"de": {"temperature": 1}}}, "languages.de.scope_a is missing"),
        ({"languages": []}, "languages must be an object"),
        ({"flags_below": True}, "flags_below must be a number"),
        ({"tempreature": 1}, "tempreature is no field"),
    ],
)
def test_a_calibration_that_does_not_fit_the_labels_is_refused_naming_the_field(
    tmp_path: Path, change: dict[str, Any], problem: str
) -> None:
    stage = TinyStage("only", {"card": SURE}, calibration=change)
    with pytest.raises(BundleError, match=re.escape(problem)):
        read_bundle(write_bundle(tmp_path / "tiny" / "1", stage))


def test_two_stages_may_not_share_a_name(bundle: Path) -> None:
    manifest = read_manifest(bundle)
    manifest["stages"] *= 2
    write_manifest(bundle, manifest)
    with pytest.raises(BundleError, match="share a name"):
        read_bundle(bundle)


def test_a_bundle_is_found_by_name_folder_or_as_the_live_one(bundle: Path) -> None:
    models = bundle.parent.parent
    (models / "live.json").write_text('{"live": "tiny@1"}')
    assert find_bundle("tiny@1", models) == bundle
    assert find_bundle(str(bundle), models) == bundle
    assert find_bundle("", models) == bundle


@pytest.mark.parametrize("spec", ["tiny@2", "tiny", "../tiny@1", "no/such/folder"])
def test_a_bundle_that_is_not_there_is_said_to_be_missing(bundle: Path, spec: str) -> None:
    with pytest.raises(BundleError, match="There is no model bundle") as caught:
        find_bundle(spec, bundle.parent.parent)
    assert "ROUTER_MODEL" in caught.value.fix


@pytest.mark.parametrize("content", [None, "{", "[]", '{"live": 1}', '{"live": "../../x@1"}'])
def test_a_live_file_that_names_no_bundle_is_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "live.json").write_text(content)
    with pytest.raises(BundleError, match=r"live\.json"):
        find_bundle("", tmp_path)


def test_a_bundle_that_answers_its_samples_otherwise_is_refused(tmp_path: Path) -> None:
    sample = {"text": "card", "intent": "fees", "confidence": 0.99, "in_scope": 0.88}
    folder = write_bundle(
        tmp_path / "tiny" / "1", TinyStage("only", {"card": SURE}), samples=[sample]
    )
    with pytest.raises(BundleError, match="answers the sample 'card' with lost_card"):
        load_classifier(folder)
