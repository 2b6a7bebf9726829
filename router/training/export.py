"""From a run folder to a bundle: quantise, calibrate on the int8 graph, measure, write."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any

from router.core.prediction import Question
from router.errors import UsageError
from router.model.bundle import READ_BY_PEOPLE
from router.model.classifier import BundleClassifier, load_classifier
from router.model.manifest import MANIFEST, SCHEMA, StageSpec
from router.model.stage import open_stage
from router.training.bundle_samples import samples_of
from router.training.calibrating import calibrate
from router.training.encoder import shape_of
from router.training.examples import read_split
from router.training.finetune import Tell
from router.training.finished_run import FinishedRun, finished_runs
from router.training.graph import build_graph
from router.training.onnx_graph import OPSET
from router.training.stage_spec import spec_of

LABELS, CALIBRATION = "labels.json", "calibration.json"

SAMPLES = (
    ("the card I ordered two weeks ago is still not here", "en"),
    ("why did I pay a fee for taking out cash?", "en"),
    ("someone used my card in a shop I have never been to", "en"),
    ("what should I cook for dinner tonight", "en"),
    ("wo bleibt meine neue Karte? ich habe sie vor zwei Wochen bestellt", "de"),
    ("me han cobrado dos veces la misma compra", "es"),
    ("mon virement n'est toujours pas arrivé chez ma sœur", "fr"),
    ("qualcuno ha pagato con la mia carta in un negozio che non conosco", "it"),
    ("ik ben de pincode van mijn pas vergeten", "nl"),
    ("jak zamknąć moje konto?", "pl"),
    ("quero fazer uma reclamação, ninguém responde há três semanas", "pt"),
)
"""Invented, each with its language; asked again whenever the bundle is loaded."""

_BANKING = {
    "licence": "CC-BY-4.0",
    "source": "BANKING77, PolyAI-LDN/task-specific-datasets; Casanueva et al. 2020",
}
_CLINC = {"licence": "CC-BY-3.0", "source": "CLINC150, clinc/oos-eval; Larson et al. 2019"}
_OWN = {"licence": "Apache-2.0", "source": "written for this project, models/texts"}


def export(folders: Sequence[Path], out: Path, tell: Tell) -> BundleClassifier:
    """Write the bundle ``out`` (``…/NAME/VERSION``) from the run folders and load it.

    A run answers the languages it reads which no run before it does, and the last all others
    besides. The bundle's name and version are its folders'. Metrics are added by `add_metrics`.

    Raises:
        UsageError: one of ``folders`` is no finished run, they do not know the same intents and
            flags, or ``out`` holds something else.
    """
    runs = finished_runs(folders)
    labels, flags = tuple(runs[0].facts["labels"]), tuple(runs[0].facts["flags"])
    _prepare(out, runs)
    _write_json(out / LABELS, {"intents": labels, "flags": flags})
    specs, calibrations, read = [], {}, frozenset[str]()
    for run in runs:
        tell(f"{run.name}: quantising")
        ours = frozenset(run.facts["languages"]) - read
        spec = _write_stage(run, out, None if run is runs[-1] else ours, len(labels), len(flags))
        stage = open_stage(
            spec, (out / run.graph).read_bytes(), (out / run.tokenizer).read_bytes(), 1
        )
        tell(f"{run.name}: calibrating")
        split = run.folder / "split"
        examples = [
            example
            for name in ("calibration.csv", "own-calibration.csv")
            for example in read_split(split / name)
            if example.language in ours
        ]
        fitted = calibrate(stage, examples, labels, flags)
        calibrations[run.name] = dataclasses.asdict(fitted)
        specs.append(spec)
        read |= ours
    _write_json(out / CALIBRATION, {"stages": calibrations})
    _write_manifest(out, runs, specs, samples=[])
    asked = [Question(*sample) for sample in SAMPLES if sample[1] in read]
    answers = load_classifier(out).predict(asked).answers
    samples = samples_of(asked, answers)
    _write_manifest(out, runs, specs, samples)
    return load_classifier(out)


def add_metrics(out: Path, metrics: Mapping[str, Any]) -> None:
    """Write ``metrics``, by the name of the file they were measured on, into the manifest."""
    path = out / MANIFEST
    manifest = json.loads(path.read_text(encoding="utf-8"))
    _write_json(path, manifest | {"metrics": dict(metrics)})


def _prepare(out: Path, runs: Sequence[FinishedRun]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    ours = {MANIFEST, LABELS, CALIBRATION} | READ_BY_PEOPLE
    ours |= {name for run in runs for name in (run.graph, run.tokenizer)}
    if strange := sorted({path.name for path in out.iterdir()} - ours):
        raise UsageError(f"{out} holds {strange[0]}, which is no part of a bundle.")


def _write_stage(
    run: FinishedRun, out: Path, languages: Collection[str] | None, intents: int, flags: int
) -> StageSpec:
    import onnx  # noqa: PLC0415 - heavy: only when exporting
    from safetensors.numpy import load_file  # noqa: PLC0415 - heavy, likewise

    max_tokens: int = run.facts["recipe"]["max_tokens"]
    weights = load_file(run.folder / "weights.safetensors")
    model = build_graph(weights, shape_of(weights), max_tokens)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, out / run.graph)
    (out / run.tokenizer).write_bytes((run.folder / "tokenizer.json").read_bytes())
    return spec_of(run.name, max_tokens, (intents, flags), languages)


def _write_manifest(
    out: Path,
    runs: Sequence[FinishedRun],
    specs: Sequence[StageSpec],
    samples: Sequence[Mapping[str, Any]],
) -> None:
    names = [name for run in runs for name in (run.graph, run.tokenizer)] + [LABELS, CALIBRATION]
    files = {name: (out / name).read_bytes() for name in names}
    data = {name: digest for run in runs for name, digest in run.facts["data"].items()}
    manifest = {
        "schema": SCHEMA,
        "name": out.parent.name,
        "version": out.name,
        "languages": sorted({language for run in runs for language in run.facts["languages"]}),
        "router_version": package_version("router"),
        "opset": OPSET,
        "stages": [_stage(spec) for spec in specs],
        "labels": LABELS,
        "calibration": CALIBRATION,
        "files": {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            for name, content in files.items()
        },
        "samples": samples,
        "encoder": {
            what: between.join(run.facts["encoder"][what] for run in runs)
            for what, between in (("name", "; "), ("licence", " AND "), ("source", "; "))
        },
        "data": [{"file": name, "sha256": data[name], **_origin(name)} for name in sorted(data)],
        "training": {
            run.name: {
                name: run.facts[name]
                for name in ("recipe", "before", "texts", "heldout_scope_intents")
            }
            for run in runs
        },
        "metrics": {},
    }
    _write_json(out / MANIFEST, manifest)


def _stage(spec: StageSpec) -> dict[str, Any]:
    return {name: value for name, value in dataclasses.asdict(spec).items() if value is not None}


def _origin(file: str) -> dict[str, str]:
    return {"banking77": _BANKING, "clinc150": _CLINC}.get(file.partition("/")[0], _OWN)


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
