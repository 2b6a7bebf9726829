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
FLAGS = ("vulnerable", "fraud")
_UNKNOWN = "[UNK]"
SURE, UNSURE = (9.0, 0.0, 0.0), (1.0, 0.9, 0.0)


@dataclass(frozen=True)
class TinyStage:
    """``words`` gives each known word its logits, and ``flags`` some of them those of `FLAGS`;
    ``scope`` is added for each of its tokens."""

    name: str
    words: Mapping[str, Sequence[float]]
    accept: float = 0.0
    scope: float = 2.0
    max_tokens: int = 16
    temperature: float = 1.0
    calibration: Mapping[str, Any] = field(default_factory=dict)
    flags: Mapping[str, Sequence[float]] | None = None
    languages: Sequence[str] | None = None


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
        if stage.flags is not None:
            calibrations[stage.name].setdefault("flags", dict.fromkeys(FLAGS, (1.0, 0.0)))
    flags = {"flags": FLAGS} if stages[0].flags is not None else {}
    _write(folder / "labels.json", {"intents": INTENTS} | flags)
    _write(folder / "calibration.json", {"stages": calibrations})
    manifest = {
        "schema": "model-bundle/v1",
        "name": folder.parent.name,
        "version": folder.name,
        "languages": ["en", "de"] if any(stage.languages for stage in stages) else ["en"],
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
    flags = {"type": "double", "shape": ["batch", len(FLAGS)]}
    return ({"languages": list(stage.languages)} if stage.languages else {}) | {
        "name": stage.name,
        "graph": f"{stage.name}.onnx",
        "tokenizer": f"{stage.name}.json",
        "max_tokens": stage.max_tokens,
        "inputs": {"input_ids": free, "attention_mask": free},
        "outputs": {
            "intent_logits": {"type": "double", "shape": ["batch", len(INTENTS)]},
            "scope_logit": {"type": "double", "shape": ["batch"]},
        }
        | ({"flag_logits": flags} if stage.flags is not None else {}),
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
    flag_outputs = []
    if stage.flags is not None:
        none = (0.0,) * len(FLAGS)
        constants["flags"] = np.array([none, *(stage.flags.get(w, none) for w in stage.words)])
        nodes += [
            node("Gather", ["flags", "input_ids"], ["flag_rows"]),
            node("Mul", ["flag_rows", "column"], ["flags_kept"]),
            node("ReduceSum", ["flags_kept", "first"], ["flag_logits"], keepdims=0),
        ]
        shape = ["batch", len(FLAGS)]
        flag_outputs = [helper.make_tensor_value_info("flag_logits", TensorProto.DOUBLE, shape)]
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
            *flag_outputs,
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
