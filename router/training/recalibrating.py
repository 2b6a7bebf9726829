"""A bundle's next version, calibrated on other labelled texts; its graphs stay as they are."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from router.core.prediction import Prediction, Question
from router.errors import UsageError
from router.model.bundle import Bundle, read_bundle
from router.model.card import RECALIBRATED, recalibrated_card
from router.model.classifier import BundleClassifier, load_classifier
from router.model.evaluation import intent_figures, scope_figures
from router.model.judged import Answered, ask, judge
from router.model.labelled import IN_SCOPE, OUT_OF_SCOPE, Labelled, read_labelled
from router.training.fit import ENOUGH
from router.training.next_version import pretty, refuse_what_exists, write_next
from router.training.refitting import FOLDS, Calibrations, Refitting, Remembering
from router.training.teaching import stages_of

FEWEST = ENOUGH * FOLDS // (FOLDS - 1)
"""So many different texts with an intent must a stage have: each fold is fitted on `ENOUGH`."""

Advance = Callable[[int, int], None]


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """The labelled texts: those that the bundle can be calibrated on, and how many it cannot: with
    an unknown label, in a language that it does not read."""

    rows: tuple[Labelled, ...]
    file: str
    sha256: str
    bytes: int
    strange_labels: int
    strange_languages: int

    @property
    def told(self) -> dict[str, Any]:
        """What may be said of it: no text."""
        languages = Counter(row.language for row in self.rows)
        return {
            "file": self.file,
            "sha256": self.sha256,
            "bytes": self.bytes,
            "texts": len(self.rows),
            "languages": dict(sorted(languages.items())),
            "left_out": {"label": self.strange_labels, "language": self.strange_languages},
        }


def recalibrate(
    folder: Path,
    data: Path,
    out: Path,
    *,
    language: str = "en",
    advance: Advance = lambda _, __: None,
) -> dict[str, Any]:
    """Write the bundle ``out`` (``…/NAME/VERSION``): that in ``folder``, calibrated on ``data``.

    Says what changed. ``before`` are the figures of the bundle as it is, ``after`` those of a
    calibration fitted on four fifths of the texts and asked the last, five times over; written is
    one that is fitted on all. ``language`` is that of rows which name none; ``advance`` is told
    how many texts it was asked since last, and of how many.

    Raises:
        UsageError: ``out`` exists, or ``data`` cannot be read, is known to the bundle already, or
            tells too little.
        BundleError: the bundle is malformed, or does not load.
        ModelError: it failed.
    """
    refuse_what_exists(out)
    load_classifier(folder)  # asks it its samples
    whole = read_bundle(folder)
    source = read_source(data, whole, language)
    stages = [Remembering(stage) for stage in stages_of(whole).values()]
    refitting = Refitting(whole, stages)
    chosen = _chosen(refitting, source)
    as_it_is = refitting.classifier(dict(whole.calibrations))
    # Here its graphs are asked, once a text; what follows takes seconds.
    before = ask(as_it_is, source.rows, lambda more: advance(more, len(source.rows)))
    fitted = refitting.fit(source.rows, chosen)
    after = Answered(source.rows, _by_folds(refitting, source.rows, chosen))
    told = {
        "from": dataclasses.asdict(whole.ref),
        "data": source.told,
        "folds": FOLDS,
        "stages": {name: refitting.told(name, fitted, source.rows) for name in fitted},
        "before": _figures(before, whole),
        "after": _figures(after, whole),
    }
    ref = _write(whole, out, fitted, source, told).ref
    return {"bundle": dataclasses.asdict(ref), "folder": str(out), **told}


def read_source(data: Path, whole: Bundle, language: str) -> Source:
    """The texts in ``data``.

    Raises:
        UsageError: the file cannot be read, or the bundle was made or measured with it.
    """
    rows = read_labelled(data, language)
    content = data.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    told = {name: whole.manifest.whole[name] for name in ("data", "training", "metrics")}
    if digest in json.dumps(told):
        raise UsageError(
            f"{whole.ref.name}@{whole.ref.version} was made or measured with {data} already: its "
            "manifest has the file's hash.",
            "Give other texts, or its figures would say nothing of texts it has not seen.",
        )
    known = {*whole.intents, IN_SCOPE, OUT_OF_SCOPE}
    labelled = [row for row in rows if row.label in known]
    kept = [row for row in labelled if row.language in whole.manifest.languages]
    return Source(
        tuple(kept), data.name, digest, len(content),
        len(rows) - len(labelled), len(labelled) - len(kept),
    )  # fmt: skip


def _chosen(refitting: Refitting, source: Source) -> list[str]:
    """The stages that ``source`` has enough texts for."""
    intents = refitting.whole.intents
    found = {
        name: len({
            _words(row) for row in refitting.texts_of(name, source.rows) if row.label in intents
        })
        for name in refitting.languages
    }  # fmt: skip
    most = max(found.values())
    if not most:
        raise UsageError(
            f"{source.file} has no text with an intent that the bundle knows, in a language that "
            "it reads.",
            "labels.json in the bundle names its intents.",
        )
    if most < FEWEST:
        raise UsageError(
            f"{source.file} has {most} different texts with an intent that the bundle knows.",
            f"At least {FEWEST} are needed, in the languages that one of its stages answers.",
        )
    return [name for name, texts in found.items() if texts >= FEWEST]


def _questions(rows: Sequence[Labelled]) -> list[Question]:
    return [Question(row.text, row.language) for row in rows]


def _by_folds(
    refitting: Refitting, rows: Sequence[Labelled], chosen: Sequence[str]
) -> tuple[Prediction, ...]:
    of = folds_of(rows)
    answers: dict[int, Prediction] = {}
    for fold in range(FOLDS):
        rest = [row for row, its in zip(rows, of, strict=True) if its != fold]
        held = [number for number, its in enumerate(of) if its == fold]
        fitted = refitting.classifier(refitting.fit(rest, chosen))
        asked = fitted.predict(_questions([rows[number] for number in held]))
        answers |= zip(held, asked.answers, strict=True)
    return tuple(answers[number] for number in range(len(rows)))


def folds_of(rows: Sequence[Labelled]) -> list[int]:
    """Each text's fold: the same for the same text, whatever the order, and each label in all."""
    labels = {_words(row): row.label for row in sorted(rows, key=lambda row: row.label)}
    order = sorted(labels, key=lambda text: (labels[text], hashlib.sha256(text.encode()).digest()))
    place = {text: number % FOLDS for number, text in enumerate(order)}
    return [place[_words(row)] for row in rows]


def _words(row: Labelled) -> str:
    return " ".join(row.text.casefold().split())


def _figures(answered: Answered, whole: Bundle) -> dict[str, Any]:
    judged = judge(answered, whole.intents, lambda intent: intent)
    figures = intent_figures(judged) | scope_figures(*answered.scopes)
    stages = Counter(answer.stage for answer in answered.answers)
    return {name: figures[name] for name in RECALIBRATED} | {
        "stages": {
            spec.name: stages[spec.name] / len(answered.answers) for spec in whole.manifest.stages
        }
    }


def _write(
    whole: Bundle, out: Path, fitted: Calibrations, source: Source, told: Mapping[str, Any]
) -> BundleClassifier:
    manifest = whole.manifest
    calibration = {name: dataclasses.asdict(fitted[name]) for name in fitted}
    entry = {
        "file": source.file,
        "sha256": source.sha256,
        "licence": "NOASSERTION",
        "source": "given to `router model calibrate`",
        "bytes": source.bytes,
        "texts": len(source.rows),
    }
    card = whole.folder / "README.md"
    return write_next(
        whole,
        out,
        {manifest.calibration: pretty({"stages": calibration})},
        {
            "data": [*manifest.whole["data"], entry],
            "training": {**manifest.whole["training"], "recalibration": told},
        },
        recalibrated_card(
            card.read_text(encoding="utf-8") if card.is_file() else "",
            f"{out.absolute().parent.name} {out.name}",
            told,
        ),
    )
