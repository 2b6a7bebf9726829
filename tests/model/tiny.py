"""Bundles small enough to read: a text's logits are the sums of its words' rows in a table."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

INTENTS = ("lost_card", "fees", "greeting")
_UNKNOWN = "[UNK]"
SURE, UNSURE = (9.0, 0.0, 0.0), (1.0, 0.9, 0.0)


@dataclass(frozen=True)
class TinyStage:
    """``words`` gives each known word its logits; ``scope`` is added for each of its tokens."""

    name: str
    words: Mapping[str, Sequence[float]]
    accept: float = 0.0
    scope: float = 2.0
    max_tokens: int = 16
    temperature: float = 1.0
    calibration: Mapping[str, float] = field(default_factory=dict)


def write_bundle(
    folder: Path, *stages: TinyStage, samples: Sequence[Mapping[str, Any]] = ()
) -> Path:
    """A whole bundle in ``folder`` (``…/name/version``)."""
    folder.mkdir(parents=True)
    calibrations = {}
    for stage in stages:
        vocabulary = {_UNKNOWN: 0, **{word: n for n, word in enumerate(stage.words, start=1)}}
        (folder / f"{stage.name}.onnx").write_bytes(_graph(stage).SerializeToString())
        tokenizer = Tokenizer(WordLevel(vocabulary, unk_token=_UNKNOWN))
        tokenizer.pre_tokenizer = Whitespace()
        tokenizer.save(str(folder / f"{stage.name}.json"))
        calibrations[stage.name] = {
            "temperature": stage.temperature,
            "scope_a": 1.0,
            "scope_b": 0.0,
            "accept": stage.accept,
            "set_least": 0.1,
        } | dict(stage.calibration)
    _write(folder / "labels.json", {"intents": INTENTS})
    _write(folder / "calibration.json", {"stages": calibrations})
    manifest = {
        "schema": "model-bundle/v1",
        "name": folder.parent.name,
        "version": folder.name,
        "languages": ["en"],
        "router_version": "0.1.0",
        "opset": 17,
        "stages": [_spec(stage) for stage in stages],
        "labels": "labels.json",
        "calibration": "calibration.json",
        "samples": list(samples),
        "encoder": {"name": "none", "licence": "Apache-2.0", "source": "this test"},
        "data": [],
        "training": {},
        "metrics": {},
    }
    write_manifest(folder, manifest)
    return folder


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """``manifest`` with the hashes of the files that are there."""
    paths = [path for path in folder.iterdir() if path.name not in ("manifest.json", "README.md")]
    files = {
        path.name: {
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "bytes": path.stat().st_size,
        }
        for path in paths
    }
    _write(folder / "manifest.json", {**manifest, "files": files})


def read_manifest(folder: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return manifest


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value))


def _spec(stage: TinyStage) -> dict[str, Any]:
    free = {"type": "int64", "shape": ["batch", "tokens"]}
    return {
        "name": stage.name,
        "graph": f"{stage.name}.onnx",
        "tokenizer": f"{stage.name}.json",
        "max_tokens": stage.max_tokens,
        "inputs": {"input_ids": free, "attention_mask": free},
        "outputs": {
            "intent_logits": {"type": "double", "shape": ["batch", len(INTENTS)]},
            "scope_logit": {"type": "double", "shape": ["batch"]},
        },
    }


def _graph(stage: TinyStage) -> Any:
    table = np.array([(0.0,) * len(INTENTS), *stage.words.values()], np.float64)
    node = helper.make_node
    nodes = [
        node("Cast", ["attention_mask"], ["mask"], to=TensorProto.DOUBLE),
        node("Gather", ["table", "input_ids"], ["rows"]),
        node("Unsqueeze", ["mask", "last"], ["column"]),
        node("Mul", ["rows", "column"], ["kept"]),
        node("ReduceSum", ["kept", "first"], ["intent_logits"], keepdims=0),
        node("Mul", ["mask", "scope"], ["scopes"]),
        node("ReduceSum", ["scopes", "first"], ["scope_logit"], keepdims=0),
    ]
    constants = {
        "table": table,
        "last": np.array([2], np.int64),
        "first": np.array([1], np.int64),
        "scope": np.array(stage.scope, np.float64),
    }
    free = ["batch", "tokens"]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [
            helper.make_tensor_value_info("input_ids", TensorProto.INT64, free),
            helper.make_tensor_value_info("attention_mask", TensorProto.INT64, free),
        ],
        [
            helper.make_tensor_value_info(
                "intent_logits", TensorProto.DOUBLE, ["batch", len(INTENTS)]
            ),
            helper.make_tensor_value_info("scope_logit", TensorProto.DOUBLE, ["batch"]),
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
