"""One training run: from the data folder to weights in a run folder, which an export reads.

A run folder holds ``split/*.csv``, ``run.json`` (recipe, data, labels), ``tokenizer.json`` and
``weights.safetensors``; it holds texts of the data sets, so it stays out of the repository.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from router.errors import UsageError
from router.model.labelled import IN_SCOPE, OUT_OF_SCOPE
from router.training.backbones import open_backbone
from router.training.batches import token_ids
from router.training.encoder import Weights, shape_of
from router.training.examples import (
    Example,
    intents_of,
    labelled,
    read_banking,
    read_clinc,
    write_split,
)
from router.training.finetune import Course, Tell, finetune
from router.training.heads import features, fit_heads
from router.training.lesson import joined, lesson_of
from router.training.own import FLAGS, calibrates, read_own
from router.training.recipe import Recipe
from router.training.scope import ScopeData, heldout_intents, scope_data
from router.training.split import Split, split_examples
from router.training.starting import before_of
from router.training.teacher import Opinions, opinions

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer

SOURCES = (
    "banking77/train.csv",
    *(f"clinc150/{name}.jsonl" for name in ("train", "val", "oos_train", "oos_val")),
)

_HEADS = "heads.safetensors"


def write_splits(data: Path, out: Path, *, whole: bool = False) -> tuple[Split, ScopeData]:
    """Write the split's files to ``out``: ``train.csv``, ``calibration.csv``, ``heldout.csv``; the
    last not where ``whole`` is to be learnt from.

    ``heldout-own.csv`` besides asks the harder question of scope: a bank's business in CLINC150's
    words against what is not, all of intents that nothing was trained on.
    """
    split, scope = split_examples(read_banking(data)), scope_data(read_clinc(data))
    if whole:
        split = split.whole()
    files = {
        "train": (split.train, scope.own, scope.foreign),
        "calibration": (split.calibration, scope.calibration_own, scope.calibration_foreign),
        "heldout": (split.heldout, (), scope.heldout_foreign),
        "heldout-own": ((), scope.heldout_own, scope.heldout_foreign),
    }
    for name, (known, own, foreign) in files.items():
        if name == "heldout" and whole:
            continue
        rows = (*known, *labelled(IN_SCOPE, own), *labelled(OUT_OF_SCOPE, foreign))
        write_split(out / f"{name}.csv", rows)
    return split, scope


def train(
    data: Path,
    own: Path,
    out: Path,
    recipe: Recipe,
    *,
    start: Path | None = None,
    threads: int,
    device: str,
    resume: bool,
    tell: Tell,
) -> None:
    """Split, fit the heads, fine-tune, and write the run folder ``out``.

    ``own`` is the folder of our own messages; an encoder that reads one language learns from that
    language's alone. ``start`` is the folder of the run that this one goes on from, with other
    texts or another recipe. The same data, recipe and machine give the same weights, broken off and
    resumed or not.

    Raises:
        UsageError: data is missing, ``out`` holds another run and ``resume`` is not set, or
            ``start`` is of another encoder or of other labels.
    """
    import torch  # noqa: PLC0415 - heavy: only when training
    from safetensors.torch import load_file, save_file  # noqa: PLC0415 - heavy, likewise

    torch.set_num_threads(threads)
    before = before_of(start, recipe) if start else None
    if before:
        recipe = dataclasses.replace(recipe, start=before.sha256)
    _prepare(out, recipe, resume=resume)
    split, scope = write_splits(data, out / "split", whole=recipe.whole)
    tell("opening the encoder")
    backbone = open_backbone(recipe.encoder, recipe.layers)
    messages = [m for m in read_own(own, "train") if m.language in backbone.languages]
    taught = [m for m in messages if not calibrates(m)]
    write_split(out / "split" / "own-calibration.csv", filter(calibrates, messages))
    labels = tuple(sorted({*intents_of(split.train), *(m.label for m in taught)} - {OUT_OF_SCOPE}))
    course = Course(
        lesson_of([*split.train, *taught], labels),
        (
            (lesson_of(labelled(IN_SCOPE, scope.own), labels), recipe.own),
            (lesson_of(labelled(OUT_OF_SCOPE, scope.foreign), labels), recipe.foreign),
        ),
        len(labels),
    )
    weights, tokenizer = backbone.weights, backbone.tokenizer
    tell(f"{len(course.whole)} texts of {len(labels)} intents; fitting the heads")
    if before:
        before.fits(labels)
        weights = load_file(before.weights)
    else:
        heads = out / _HEADS
        if not heads.is_file():
            save_file(_first_heads(weights, tokenizer, course, recipe), heads)
        weights |= load_file(heads)
    if recipe.epochs:
        said = _teachers_say([*split.train, *taught], labels, recipe, out, tell)
        course = dataclasses.replace(course, said=said)
        weights = finetune(weights, tokenizer, course, recipe, folder=out, device=device, tell=tell)
    save_file(weights, out / "weights.safetensors")
    tokenizer.save(str(out / "tokenizer.json"), pretty=False)
    facts = {
        "recipe": dataclasses.asdict(recipe),
        "before": [*before.recipes] if before else [],
        "languages": list(backbone.languages),
        "encoder": dict(backbone.card),
        "labels": list(labels),
        "flags": list(FLAGS),
        "data": {name: _sha256(data / name) for name in SOURCES}
        | {f"texts/train/{language}.jsonl": _sha256(own / "train" / f"{language}.jsonl")
           for language in backbone.languages},
        "heldout_scope_intents": list(heldout_intents(read_clinc(data))),
        "texts": {
            **{part.name: len(getattr(split, part.name)) for part in dataclasses.fields(split)},
            **{part.name: len(getattr(scope, part.name)) for part in dataclasses.fields(scope)},
            "own_train": len(taught),
            "own_calibration": len(messages) - len(taught),
        },
    }  # fmt: skip
    (out / "run.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def _first_heads(
    weights: Weights, tokenizer: Tokenizer, course: Course, recipe: Recipe
) -> dict[str, torch.Tensor]:
    """Heads fitted on the encoder as it came; a thousand or two texts say enough of scope."""
    some = [
        lesson.of(range(0, len(lesson), max(1, len(lesson) // 2000))) for lesson, _ in course.drawn
    ]
    lesson = joined([course.whole, *some])
    rows = token_ids(tokenizer, lesson.texts, recipe.max_tokens)
    return fit_heads(features(weights, shape_of(weights), rows), lesson)


def _teachers_say(
    examples: Sequence[Example],
    labels: Sequence[str],
    recipe: Recipe,
    folder: Path,
    tell: Tell,
) -> Opinions | None:
    """Of the texts in English that have an intent: not every teacher reads another language."""
    asked = [e for e in examples if e.language == "en" and e.label in set(labels)]
    if not recipe.teachers:
        return None
    return opinions(lesson_of(asked, labels), len(labels), recipe.teachers, folder, tell)


def _prepare(out: Path, recipe: Recipe, *, resume: bool) -> None:
    started = out / "recipe.json"
    wanted = json.loads(json.dumps(dataclasses.asdict(recipe)))
    if started.is_file() and not resume:
        raise UsageError(f"{out} holds a run.", "Go on with --resume, or give another folder.")
    if started.is_file() and json.loads(started.read_text(encoding="utf-8")) != wanted:
        raise UsageError(
            f"The run in {out} was started with another recipe.", f"It is in {started}."
        )
    out.mkdir(parents=True, exist_ok=True)
    started.write_text(json.dumps(wanted, indent=2) + "\n", encoding="utf-8")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
