"""From a bundle to one with a first stage, distilled from it, that answers what it is sure of.

The stages of the bundle stay as they are, byte for byte.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from router.core.calibration import StageCalibration
from router.core.prediction import Question
from router.errors import UsageError
from router.model.bundle import Bundle, read_bundle
from router.model.classifier import BundleClassifier, load_classifier
from router.model.labelled import IN_SCOPE, OUT_OF_SCOPE
from router.model.manifest import StageSpec
from router.model.stage import Stage, open_stage
from router.training.acceptance import Accepted, first_of
from router.training.batches import token_ids
from router.training.calibrating import calibrate
from router.training.examples import Example, labelled
from router.training.finetune import Tell
from router.training.next_version import pretty, refuse_what_exists, write_next
from router.training.own import calibrates, read_own
from router.training.parts import Parts, read_parts
from router.training.stage_spec import spec_of
from router.training.starting import held_nothing_out
from router.training.static import StaticRecipe, distil, first_weights
from router.training.static_graph import build_static_graph
from router.training.teaching import answers_of, numbers_of_pieces
from router.training.variation import varied

STAGE = "static"


def add_first_stage(  # noqa: PLR0917 - what comes in, what goes out, how
    bundle: Path, data: Path, own: Path, out: Path, recipe: StaticRecipe, tell: Tell
) -> tuple[BundleClassifier, Accepted]:
    """Write the bundle ``out``: ``bundle`` with a static stage before its own, and load it.

    It learns from the texts that the bundle's stages learned from (``data`` and ``own``, see
    `run.train`), and is calibrated on those that calibrated them.

    Raises:
        UsageError: data is missing, ``bundle`` has a static stage already, or ``out`` exists.
        BundleError: ``bundle`` is malformed.
    """
    whole = read_bundle(bundle)
    if STAGE in whole.calibrations:
        raise UsageError(f"{bundle} has a stage {STAGE} already.", "Give the bundle without it.")
    refuse_what_exists(out)
    classifier = load_classifier(bundle)
    taught, calibrating = _texts(data, own, whole)
    tokenizer = _bare(whole.files[whole.manifest.stages[-1].tokenizer])
    tell("showing the model each piece of the vocabulary by itself")
    outputs = (len(whole.intents), len(whole.flags))
    weights = first_weights(numbers_of_pieces(whole, tokenizer, tell), outputs, recipe)
    tell(f"asking the model {len(taught)} texts")
    answers = answers_of(whole, taught, tell)
    max_tokens = whole.manifest.stages[-1].max_tokens
    rows = token_ids(tokenizer, _varied(taught, recipe), max_tokens)
    weights = distil(weights, rows, answers, recipe, tell)
    graph = build_static_graph({name: tensor.numpy() for name, tensor in weights.items()})
    spec = spec_of(STAGE, max_tokens, outputs)
    files = {
        spec.graph: graph.SerializeToString(),
        spec.tokenizer: tokenizer.to_str().encode(),
    }
    stage = open_stage(spec, files[spec.graph], files[spec.tokenizer], 1)
    tell("calibrating")
    fitted = calibrate(stage, calibrating, whole.intents, whole.flags)
    fitted, accepted = _with_acceptance(whole, classifier, stage, fitted, calibrating)
    return _write(out, whole, spec, files, fitted), accepted


def parts_of(bundle: Bundle, data: Path) -> Parts:
    """The parts of the data in the folder ``data`` as they were for ``bundle``."""
    return read_parts(data, whole=held_nothing_out(bundle.manifest.whole["training"].values()))


def _texts(data: Path, own: Path, bundle: Bundle) -> tuple[list[Example], list[Example]]:
    """To learn from, and to calibrate with: what ``bundle`` learnt from, and did not."""
    parts = parts_of(bundle, data)
    split, scope = parts.split, parts.scope
    messages = [m for m in read_own(own, "train") if m.language in bundle.manifest.languages]
    return (
        [
            *split.train, *labelled(IN_SCOPE, scope.own), *labelled(OUT_OF_SCOPE, scope.foreign),
            *(m for m in messages if not calibrates(m)),
        ],
        [
            *split.calibration, *labelled(IN_SCOPE, scope.calibration_own),
            *labelled(OUT_OF_SCOPE, scope.calibration_foreign), *filter(calibrates, messages),
        ],
    )  # fmt: skip


def _varied(texts: Sequence[Example], recipe: StaticRecipe) -> list[str]:
    """All as they are, then again and again with small changes: ``recipe.variants`` times."""
    random = np.random.default_rng(recipe.seed)
    return [
        varied(text.text, random) if variant else text.text
        for variant in range(recipe.variants)
        for text in texts
    ]


def _bare(source: bytes) -> Tokenizer:
    tokenizer = Tokenizer.from_buffer(source)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _with_acceptance(
    whole: Bundle,
    last: BundleClassifier,
    stage: Stage,
    fitted: StageCalibration,
    examples: Sequence[Example],
) -> tuple[StageCalibration, Accepted]:
    """``fitted`` with what the stage may answer, by the texts it was calibrated on."""
    first = BundleClassifier(dataclasses.replace(whole, calibrations={STAGE: fitted}), [stage])
    asked = [Question(example.text, example.language) for example in examples]
    ours, theirs = first.predict(asked).answers, last.predict(asked).answers
    accepted = first_of(ours, theirs, examples, whole.flags)
    found = dataclasses.replace(fitted, accept=accepted.accept, flags_below=accepted.flags_below)
    return found, accepted


def _write(
    out: Path,
    whole: Bundle,
    spec: StageSpec,
    files: Mapping[str, bytes],
    fitted: StageCalibration,
) -> BundleClassifier:
    calibration = json.loads(whole.files[whole.manifest.calibration])
    calibration["stages"] = {STAGE: dataclasses.asdict(fitted)} | calibration["stages"]
    stage = {name: value for name, value in dataclasses.asdict(spec).items() if value is not None}
    return write_next(
        whole,
        out,
        {**files, whole.manifest.calibration: pretty(calibration)},
        {"stages": [stage, *whole.manifest.whole["stages"]]},
    )
