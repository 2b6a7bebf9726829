"""One training run: from the data folder to weights in a run folder, which an export reads.

A run folder holds ``split/*.csv``, ``run.json`` (recipe, data, labels), ``tokenizer.json`` and
``weights.safetensors``; it holds texts of the data sets, so it stays out of the repository.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from router.errors import UsageError
from router.model.labelled import IN_SCOPE, OUT_OF_SCOPE
from router.training.backbones import open_backbone
from router.training.batches import token_ids
from router.training.encoder import Weights, shape_of
from router.training.examples import Example, labelled, read_clinc, write_split
from router.training.finetune import Course, Tell, finetune
from router.training.heads import features, fit_heads
from router.training.lesson import joined, lesson_of
from router.training.own import FLAGS, calibrates, read_own
from router.training.parts import hashes, read_parts, sha256
from router.training.recipe import Recipe
from router.training.scope import ScopeData, heldout_intents
from router.training.split import Split
from router.training.starting import before_of
from router.training.teacher import Opinions, opinions

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer

_HEADS = "heads.safetensors"


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
        UsageError: data is missing, ``out`` holds a run and ``resume`` is not set, or it is another
            run, or ``start`` is none to go on from.
    """
    import torch  # noqa: PLC0415 - heavy: only when training
    from safetensors.torch import load_file, save_file  # noqa: PLC0415 - heavy, likewise

    torch.set_num_threads(threads)
    before = before_of(start, recipe) if start else None
    if before:
        recipe = dataclasses.replace(recipe, start=before.sha256)
    tell("opening the encoder")
    backbone = open_backbone(recipe.encoder, recipe.layers)
    weights, tokenizer = backbone.weights, backbone.tokenizer
    parts = read_parts(data, whole=recipe.whole)
    messages = [m for m in read_own(own, "train") if m.language in backbone.languages]
    taught = [*parts.split.train, *(m for m in messages if not calibrates(m))]
    labels = tuple(sorted({e.label for e in taught} - {OUT_OF_SCOPE}))
    sources = hashes(data) | {
        f"texts/train/{language}.jsonl": sha256(own / "train" / f"{language}.jsonl")
        for language in backbone.languages
    }
    if before:
        before.fits(labels, sources, tokenizer.to_str())
    _begin(out, {"recipe": dataclasses.asdict(recipe), "data": sources}, resume=resume)
    parts.write(out / "split")
    write_split(out / "split" / "own-calibration.csv", filter(calibrates, messages))
    course = Course(
        lesson_of(taught, labels),
        (
            (lesson_of(labelled(IN_SCOPE, parts.scope.own), labels), recipe.own),
            (lesson_of(labelled(OUT_OF_SCOPE, parts.scope.foreign), labels), recipe.foreign),
        ),
        len(labels),
    )
    tell(f"{len(course.whole)} texts of {len(labels)} intents")
    if before:
        weights = load_file(before.weights)
    else:
        heads = out / _HEADS
        if not heads.is_file():
            tell("fitting the heads")
            fitted = _first_heads(weights, tokenizer, course, recipe)
            save_file(fitted, heads.with_suffix(".partial"))
            heads.with_suffix(".partial").replace(heads)
        weights |= load_file(heads)
    if recipe.teachers:
        said = _teachers_say(taught, labels, recipe, out, tell)
        course = dataclasses.replace(course, said=said)
    if recipe.epochs:
        weights = finetune(weights, tokenizer, course, recipe, folder=out, device=device, tell=tell)
    save_file(weights, out / "weights.safetensors")
    tokenizer.save(str(out / "tokenizer.json"), pretty=False)
    own_taught = len(taught) - len(parts.split.train)
    facts = {
        "recipe": dataclasses.asdict(recipe),
        "before": [*before.runs] if before else [],
        "languages": list(backbone.languages),
        "encoder": dict(backbone.card),
        "labels": list(labels),
        "flags": list(FLAGS),
        "data": sources,
        "heldout_scope_intents": list(heldout_intents(read_clinc(data))),
        "texts": {
            **_counts(parts.split),
            **_counts(parts.scope),
            "own_train": own_taught,
            "own_calibration": len(messages) - own_taught,
        },
    }
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
    taught: Sequence[Example],
    labels: Sequence[str],
    recipe: Recipe,
    folder: Path,
    tell: Tell,
) -> Opinions:
    """Of the texts in English that have an intent: not every teacher reads another language."""
    known = set(labels)
    asked = [e for e in taught if e.language == "en" and e.label in known]
    return opinions(lesson_of(asked, labels), len(labels), recipe.teachers, folder, tell)


def _begin(out: Path, wanted: Mapping[str, Any], *, resume: bool) -> None:
    """Write down what the run in ``out`` is made of, or see that it is the one begun there."""
    started = out / "recipe.json"
    wanted = json.loads(json.dumps(wanted))
    if started.is_file():
        if not resume:
            raise UsageError(f"{out} holds a run.", "Go on with --resume, or give another folder.")
        begun = json.loads(started.read_text(encoding="utf-8"))
        for what, whose in (("recipe", "with another recipe"), ("data", "from other texts")):
            if begun.get(what) != wanted[what]:
                raise UsageError(f"The run in {out} was started {whose}.", f"See {started}.")
    out.mkdir(parents=True, exist_ok=True)
    started.write_text(json.dumps(wanted, indent=2) + "\n", encoding="utf-8")


def _counts(parts: Split | ScopeData) -> dict[str, int]:
    return {part.name: len(getattr(parts, part.name)) for part in dataclasses.fields(parts)}
