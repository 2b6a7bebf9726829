"""The manifest of a bundle: what it says, once its schema has been checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson

from router.errors import BundleError
from router.resources import SCHEMAS

MANIFEST = "manifest.json"
SCHEMA = "model-bundle/v1"


@dataclass(frozen=True, slots=True)
class Tensor:
    """``type`` is ONNX's element type (``int64``, ``double``); a named dimension is free."""

    type: str
    shape: tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class StageSpec:
    name: str
    graph: str
    tokenizer: str
    max_tokens: int
    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]
    languages: tuple[str, ...] | None = None
    """Of the texts that it is asked; None: of all."""

    def reads(self, language: str) -> bool:
        return self.languages is None or language in self.languages


@dataclass(frozen=True, slots=True)
class FileSpec:
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Sample:
    """An invented text with the answer that was given when the bundle was made."""

    text: str
    intent: str
    confidence: float
    in_scope: float
    language: str = "en"
    flags: tuple[str, ...] = ()
    """Those that were at least as likely as not."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """``whole`` is the JSON object with what only people read (data, training, metrics)."""

    name: str
    version: str
    languages: tuple[str, ...]
    opset: int
    stages: tuple[StageSpec, ...]
    labels: str
    calibration: str
    files: Mapping[str, FileSpec]
    samples: tuple[Sample, ...]
    whole: Mapping[str, Any]


def parse_manifest(source: bytes, where: Path) -> Manifest:
    """The manifest in ``source``; ``where`` names its file in errors.

    Raises:
        BundleError: it is not JSON, or breaks ``schemas/model-bundle.v1.json``; the error names
            the field.
    """
    try:
        whole = orjson.loads(source)
    except orjson.JSONDecodeError as error:
        raise BundleError(f"{where} is not JSON: {error}.") from None
    problem = next(iter(_validator().iter_errors(whole)), None)
    if problem is not None:
        field = ".".join(str(part) for part in problem.instance_path) or "$"
        raise BundleError(
            f"{where} breaks the bundle schema at {field}: {problem.message}.",
            "schemas/model-bundle.v1.json says what it must hold.",
        )
    return Manifest(
        name=whole["name"],
        version=whole["version"],
        languages=tuple(whole["languages"]),
        opset=whole["opset"],
        stages=tuple(_stage(stage) for stage in whole["stages"]),
        labels=whole["labels"],
        calibration=whole["calibration"],
        files={name: FileSpec(f["sha256"], f["bytes"]) for name, f in whole["files"].items()},
        samples=tuple(_sample(sample) for sample in whole["samples"]),
        whole=whole,
    )


def _stage(stage: Mapping[str, Any]) -> StageSpec:
    return StageSpec(
        name=stage["name"],
        graph=stage["graph"],
        tokenizer=stage["tokenizer"],
        max_tokens=stage["max_tokens"],
        inputs=_tensors(stage["inputs"]),
        outputs=_tensors(stage["outputs"]),
        languages=tuple(stage["languages"]) if "languages" in stage else None,
    )


def _sample(sample: Mapping[str, Any]) -> Sample:
    return Sample(**{**sample, "flags": tuple(sample.get("flags", ()))})


def _tensors(tensors: Mapping[str, Any]) -> dict[str, Tensor]:
    return {name: Tensor(t["type"], tuple(t["shape"])) for name, t in tensors.items()}


@cache
def _validator() -> jsonschema_rs.Draft202012Validator:
    schema = orjson.loads((SCHEMAS / "model-bundle.v1.json").read_bytes())
    return jsonschema_rs.Draft202012Validator(schema)
