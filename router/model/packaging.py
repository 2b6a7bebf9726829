"""A bundle from somebody's graph, tokenizer and labels."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any

import orjson
from tokenizers import Tokenizer

from router.core.prediction import Question
from router.errors import BundleError, ModelError, UsageError
from router.model.card import card_of
from router.model.classifier import BundleClassifier, load_classifier
from router.model.foreign_graph import open_graph, stage_of, try_ids
from router.model.invented import INVENTED
from router.model.manifest import MANIFEST, SCHEMA

_GRAPH, _TOKENIZER, _LABELS, _CALIBRATION = (
    "encoder.onnx", "tokenizer.json", "labels.json", "calibration.json",
)  # fmt: skip
_STAGE = "classifier"
_ABOUT = frozenset({"encoder", "data", "training", "metrics"})
_NOT_STATED = {"name": "not stated", "licence": "NOASSERTION", "source": "not stated"}
_UNFITTED = {"temperature": 1.0, "scope_a": 1.0, "scope_b": 0.0, "accept": 0.0, "set_least": 0.05}
_SAME = 0.001
"""Answers alone and in company may differ by so much: kernels add up in another order."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a bundle is made of. ``calibration`` and ``about`` are files as well; ``samples`` are
    texts with their languages, beside those that are asked of every bundle."""

    graph: Path
    tokenizer: Path
    labels: Path
    languages: tuple[str, ...]
    max_tokens: int
    calibration: Path | None = None
    about: Path | None = None
    samples: Sequence[Question] = field(default=())


def package(parts: Parts, out: Path) -> tuple[BundleClassifier, list[str]]:
    """Write the bundle ``out`` (``…/NAME/VERSION``) and load it; and what it still lacks, a
    sentence each. Nothing is written where something cannot work.

    Raises:
        UsageError: a part is not what a bundle needs, or ``out`` is there already.
        BundleError: the parts do not fit each other.
    """
    out = out.absolute()
    if out.exists():
        raise UsageError(f"{out} is there already.", "A version is never changed: take the next.")
    work = out.with_name(f".{out.name}.new")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        missing = _write(parts, work, out)
        load_classifier(work)
        work.rename(out)
    except ModelError as error:
        raise BundleError(f"The model fails on an invented text: {error}") from error
    except BundleError as error:
        raise BundleError(error.problem.replace(str(work), str(out)), error.fix) from error
    except OSError as error:
        raise UsageError(f"{error.filename} cannot be used: {error.strerror}.") from None
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return load_classifier(out), missing


def _write(parts: Parts, work: Path, out: Path) -> list[str]:
    graph, tokenizer = parts.graph.read_bytes(), parts.tokenizer.read_bytes()
    labels = _object(parts.labels)
    session, opset = open_graph(graph)
    intents, flags = (_count(labels, key, parts.labels) for key in ("intents", "flags"))
    calibration = _object(parts.calibration) if parts.calibration else None
    name = _stage_name(calibration)
    stage = stage_of(
        session, name, _GRAPH, _TOKENIZER, parts.max_tokens, intents=intents, flags=flags
    )
    try_ids(session, _tokenizer(tokenizer, parts.tokenizer), parts.max_tokens)
    about = _object(parts.about) if parts.about else {}
    if unknown := sorted(about.keys() - _ABOUT):
        raise UsageError(
            f"{parts.about} has {unknown[0]}.", f"It may have {', '.join(sorted(_ABOUT))}."
        )
    if calibration is None:
        pairs = {flag: [1.0, 0.0] for flag in labels.get("flags", [])}
        calibration = {"stages": {name: _UNFITTED | ({"flags": pairs} if pairs else {})}}
    files = {_GRAPH: graph, _TOKENIZER: tokenizer}
    files |= {_LABELS: _pretty(labels), _CALIBRATION: _pretty(calibration)}
    for file, content in files.items():
        (work / file).write_bytes(content)
    manifest = {
        "schema": SCHEMA,
        "name": out.parent.name,
        "version": out.name,
        "languages": parts.languages,
        "router_version": package_version("router"),
        "opset": opset,
        "stages": [_without_none(dataclasses.asdict(stage))],
        "labels": _LABELS,
        "calibration": _CALIBRATION,
        "files": {
            file: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            for file, content in files.items()
        },
        "samples": [],
        "encoder": about.get("encoder", _NOT_STATED),
        "data": about.get("data", []),
        "training": about.get("training", {}),
        "metrics": about.get("metrics", {}),
    }
    (work / MANIFEST).write_bytes(_pretty(manifest))
    samples = list(_samples(load_classifier(work), _questions(parts)))
    (work / MANIFEST).write_bytes(_pretty(manifest | {"samples": samples}))
    missing = list(_missing(parts, about))
    (work / "README.md").write_text(card_of(manifest, intents, labels, missing), encoding="utf-8")
    return missing


def _questions(parts: Parts) -> list[Question]:
    invented = [Question(text, code) for code in parts.languages for text in INVENTED.get(code, ())]
    return [*invented, *parts.samples] or [Question("…", parts.languages[0])]


def _samples(
    classifier: BundleClassifier, questions: Sequence[Question]
) -> Iterator[Mapping[str, Any]]:
    """Each question with its answer, the same alone and in company, or it is no classifier here."""
    together = classifier.predict(questions).answers
    for question, among in zip(questions, together, strict=True):
        alone = classifier.predict([question]).answers[0]
        best = alone.intents[0]
        off = max(
            abs(best.confidence - among.intents[0].confidence),
            abs(alone.in_scope - among.in_scope),
            *(
                abs(a.probability - b.probability)
                for a, b in zip(alone.flags, among.flags, strict=True)
            ),
            0.0,
        )
        if off > _SAME:
            raise BundleError(
                f"The graph answers '{question.text}' otherwise among other texts: "
                f"{off:.4f} apart.",
                "A row must not change another: look for quantisation with one scale a batch.",
            )
        sample = {
            "text": question.text,
            "intent": best.intent,
            "confidence": best.confidence,
            "in_scope": alone.in_scope,
            "language": question.language,
        }
        raised = [score.flag for score in alone.flags if score.probability >= 0.5]
        yield sample | ({"flags": raised} if raised else {})


def _missing(parts: Parts, about: Mapping[str, Any]) -> Iterator[str]:
    if parts.calibration is None:
        yield (
            "No calibration: its probabilities are the graph's own, and thresholds mean little. "
            "`router model calibrate` fits one."
        )
    if "encoder" not in about:
        yield "Which encoder it was made from, and under which licence, is not stated."
    if not about.get("data"):
        yield "What it was trained and measured on is not stated."
    if not about.get("metrics"):
        yield "No figures: `router model evaluate` gives them."
    for language in parts.languages:
        if language not in INVENTED and language not in {q.language for q in parts.samples}:
            yield f"No sample in language {language}: give one with --sample {language}=TEXT."


def _stage_name(calibration: Mapping[str, Any] | None) -> str:
    """The one that a given calibration is for, so that it fits as it is."""
    stages = calibration.get("stages") if calibration else None
    return next(iter(stages)) if isinstance(stages, dict) and len(stages) == 1 else _STAGE


def _count(labels: Mapping[str, Any], key: str, path: Path) -> int:
    names = labels.get(key, [] if key == "flags" else None)
    if not isinstance(names, list) or (key == "intents" and not names):
        raise UsageError(f'{path} must hold {{"{key}": ["name", …]}}, in the order of the logits.')
    return len(names)


def _tokenizer(content: bytes, path: Path) -> Tokenizer:
    try:
        return Tokenizer.from_buffer(content)
    except Exception as error:  # the library raises plain Exception
        raise UsageError(
            f"{path} cannot be loaded: {error}.",
            "It must be a tokenizer.json of the tokenizers library (a fast tokenizer's).",
        ) from None


def _object(path: Path) -> dict[str, Any]:
    try:
        content = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise UsageError(f"{path} is not JSON: {error}.") from None
    if not isinstance(content, dict):
        raise UsageError(f"{path} is no JSON object.")
    return content


def _without_none(stage: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in stage.items() if value is not None}


def _pretty(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
