"""Malformed bundles, each refused with its reason, by the loader and by `router model verify`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from router.cli.main import run
from router.errors import BundleError
from router.model.classifier import load_classifier
from tests.model.tiny import SURE, TinyStage, read_manifest, write_bundle, write_manifest

Damage = Callable[[Path], None]


def _wrong_hash(folder: Path) -> None:
    content = (folder / "only.onnx").read_bytes()
    (folder / "only.onnx").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def _no_tokenizer(folder: Path) -> None:
    (folder / "only.json").unlink()


def _stranger(folder: Path) -> None:
    (folder / "weights.bin").write_bytes(b"external data")


def _no_json(folder: Path) -> None:
    (folder / "manifest.json").write_text("{")


def _manifest(**changed: object) -> Damage:
    def damage(folder: Path) -> None:
        write_manifest(folder, read_manifest(folder) | changed)

    return damage


def _shape(folder: Path) -> None:
    manifest = read_manifest(folder)
    manifest["stages"][0]["outputs"]["scope_logit"]["shape"] = ["batch", 1]
    write_manifest(folder, manifest)


def _rewritten(name: str, content: object) -> Damage:
    """The file's hash is right: what is wrong is in it."""

    def damage(folder: Path) -> None:
        manifest = read_manifest(folder)
        (folder / name).write_text(json.dumps(content))
        write_manifest(folder, manifest)

    return damage


def _graph(change: Callable[[Any], None]) -> Damage:
    def damage(folder: Path) -> None:
        manifest = read_manifest(folder)
        model = onnx.load(folder / "only.onnx")
        change(model)
        (folder / "only.onnx").write_bytes(model.SerializeToString())
        write_manifest(folder, manifest)

    return damage


def _unknown_operator(model: Any) -> None:
    model.graph.node[1].op_type = "Divine"


def _newer(model: Any) -> None:
    model.opset_import[0].version = 18


def _future(model: Any) -> None:
    model.opset_import[0].version = 99


def _no_numbers(model: Any) -> None:
    nothing = np.full((2, 3), np.nan)
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(nothing, "table"))


def _outside(model: Any) -> None:
    table = model.graph.initializer[0]
    table.ClearField("raw_data")
    table.data_location = onnx.TensorProto.EXTERNAL
    table.external_data.add(key="location", value="../../secret")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (_wrong_hash, r"only\.onnx is not the file of the manifest: its SHA-256 or size differs"),
        (_no_tokenizer, r"only\.json cannot be read: No such file"),
        (_stranger, r"weights\.bin is not listed in the manifest"),
        (_no_json, r"manifest\.json is not JSON"),
        (_manifest(opset=12), r"breaks the bundle schema at opset: 12 is less than"),
        (_manifest(version="../1"), r"breaks the bundle schema at version"),
        (_manifest(labels="names.json"), r"uses names\.json but lists no hash"),
        (_shape, r"outputs of only\.onnx are not those of stage only"),
        (_rewritten("labels.json", {"intents": ["a", "b"]}), r"gives \(3,\) .* for 2 labels"),
        (_rewritten("calibration.json", {"stages": {}}), r"stage only: \$ must be an object"),
        (_rewritten("only.json", {"version": "1.0"}), r"tokenizer only\.json cannot be loaded"),
        (_graph(_unknown_operator), r"graph only\.onnx cannot be loaded: .*Divine"),
        (_graph(_newer), r"is of operator set 18, and the manifest says 17"),
        (_graph(_future), r"graph only\.onnx cannot be loaded: .*opset"),
        (_graph(_no_numbers), r"fails on a sample of its manifest: .*not finite"),
        (_graph(_outside), r"graph only\.onnx cannot be loaded"),
    ],
)  # fmt: skip
def test_a_malformed_bundle_is_refused_with_its_reason(
    tmp_path: Path, damage: Damage, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = {"text": "card", "intent": "lost_card", "confidence": 0.9998, "in_scope": 0.8808}
    stage = TinyStage("only", {"card": SURE})
    folder = write_bundle(tmp_path / "tiny" / "1", stage, samples=[sample])
    load_classifier(folder)
    damage(folder)
    with pytest.raises(BundleError, match=reason) as caught:
        load_classifier(folder)
    assert run(["model", "verify", str(folder), "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert (answer["ok"], answer["problem"]) == (False, str(caught.value))
