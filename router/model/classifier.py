"""A bundle as a classifier: its stages asked in order until each text has its answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from router.core.calibration import (
    Floats,
    StageCalibration,
    in_scope_probability,
    rounded,
    tempered,
)
from router.core.prediction import IntentScore, ModelRef, Prediction, Predictions
from router.errors import BundleError, ModelError
from router.model.bundle import Bundle, read_bundle
from router.model.manifest import Sample
from router.model.stage import Raw, Stage, open_stage

KEPT = 10
"""Most intents that an answer names."""

SAMPLE_TOLERANCE = 0.1
"""How far a sample's probabilities may lie from those in the manifest. Processors differ in a
float's last place, and an int8 rounding makes a hundredth of that now and then; a runtime that
computes something else lies further off."""


class BundleClassifier:
    """Implements `router.core.prediction.Classifier`. Safe to share between threads."""

    def __init__(self, bundle: Bundle, stages: Sequence[Stage]) -> None:
        self._bundle = bundle
        self._stages = tuple(stages)

    @property
    def ref(self) -> ModelRef:
        return self._bundle.ref

    @property
    def languages(self) -> frozenset[str]:
        return frozenset(self._bundle.manifest.languages)

    @property
    def intents(self) -> tuple[str, ...]:
        return self._bundle.intents

    @property
    def set_least(self) -> dict[str, float]:
        """The least probability of a prediction set's intents, by stage."""
        return {name: c.set_least for name, c in self._bundle.calibrations.items()}

    def predict(self, texts: Sequence[str]) -> Predictions:
        """Predictions for ``texts``, one each, in order.

        Raises:
            ModelError: the model could not answer.
        """
        answers: dict[int, Prediction] = {}
        tokenise = infer = 0.0
        waiting = list(range(len(texts)))
        for stage in self._stages:
            if not waiting:
                break
            last = stage is self._stages[-1]
            calibration = self._bundle.calibrations[stage.spec.name]
            batch = stage.ask([texts[index] for index in waiting])
            tokenise += batch.tokenise_seconds
            infer += batch.infer_seconds
            for index, raw in zip(waiting, batch.rows, strict=True):
                answer = self._answer(stage.spec.name, raw, calibration)
                if last or answer.intents[0].confidence >= calibration.accept:
                    answers[index] = answer
            waiting = [index for index in waiting if index not in answers]
        return Predictions(tuple(answers[index] for index in range(len(texts))), tokenise, infer)

    def stop(self) -> None:
        """End every `predict` under way as soon as may be; each raises ModelError."""
        for stage in self._stages:
            stage.stop()

    def _answer(self, stage: str, raw: Raw, calibration: StageCalibration) -> Prediction:
        if not (np.isfinite(raw.logits).all() and np.isfinite(raw.scope)):
            raise ModelError(f"Stage {stage} gave a number that is not finite.")
        probabilities = tempered(raw.logits, calibration.temperature)
        return Prediction(
            intents=self._best(probabilities),
            in_scope=in_scope_probability(raw.scope, calibration),
            stage=stage,
            truncated=raw.truncated,
        )

    def _best(self, probabilities: Floats) -> tuple[IntentScore, ...]:
        # A stable sort: equal probabilities keep the order of the labels.
        order = np.argsort(-probabilities, kind="stable")[:KEPT]
        return tuple(
            IntentScore(self._bundle.intents[index], rounded(probabilities[index]))
            for index in order
        )


def load_classifier(bundle: Path, threads: int = 1, *, optimise: bool = True) -> BundleClassifier:
    """The classifier of the bundle folder ``bundle``, verified, warm and checked on its samples.

    ``threads`` is ONNX Runtime's within one operator; ``optimise`` False runs the graph as it
    is written, for comparing.

    Raises:
        BundleError: the bundle cannot be verified or loaded, or answers its samples otherwise
            than when it was made.
    """
    checked = read_bundle(bundle)
    stages = [
        open_stage(
            spec, checked.files[spec.graph], checked.files[spec.tokenizer], threads,
            optimise=optimise,
        )
        for spec in checked.manifest.stages
    ]  # fmt: skip
    classifier = BundleClassifier(checked, stages)
    for sample in checked.manifest.samples:
        _check(classifier, sample, bundle)
    return classifier


def _check(classifier: BundleClassifier, sample: Sample, bundle: Path) -> None:
    try:
        answer = classifier.predict([sample.text]).answers[0]
    except ModelError as error:
        raise BundleError(f"{bundle} fails on a sample of its manifest: {error}") from error
    best = answer.intents[0]
    off = max(abs(best.confidence - sample.confidence), abs(answer.in_scope - sample.in_scope))
    if best.intent != sample.intent or off > SAMPLE_TOLERANCE:
        raise BundleError(
            f"{bundle} answers the sample '{sample.text}' with {best.intent} ({best.confidence}), "
            f"not {sample.intent} ({sample.confidence}).",
            "This ONNX Runtime computes something else: use the version the constraints pin.",
        )
