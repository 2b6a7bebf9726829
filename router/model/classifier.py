"""A bundle as a classifier: its stages asked in order until each text has its answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from router.core.calibration import Floats, StageCalibration, calm, platt, rounded, tempered
from router.core.prediction import (
    FlagScore,
    IntentScore,
    ModelRef,
    Prediction,
    Predictions,
    Question,
)
from router.errors import BundleError, ModelError
from router.model.bundle import Bundle, read_bundle
from router.model.manifest import Sample
from router.model.opset import opset_of
from router.model.stage import Asked, Raw, open_stage

KEPT = 10
"""Most intents that an answer names."""

SAMPLE_TOLERANCE = 0.1
"""How far a sample's probabilities may lie from those in the manifest. Processors differ in a
float's last place, and an int8 rounding makes a hundredth of that now and then; a runtime that
computes something else lies further off."""


class BundleClassifier:
    """Implements `router.core.prediction.Classifier`. Safe to share between threads."""

    def __init__(self, bundle: Bundle, stages: Sequence[Asked]) -> None:
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
    def flags(self) -> tuple[str, ...]:
        return self._bundle.flags

    def predict(self, questions: Sequence[Question]) -> Predictions:
        """Predictions for ``questions``, one each, in order.

        Raises:
            ModelError: the model could not answer.
        """
        answers: dict[int, Prediction] = {}
        tokenise = infer = 0.0
        for stage in self._stages:
            asked = [
                index
                for index, question in enumerate(questions)
                if index not in answers and stage.spec.reads(question.language)
            ]
            if not asked:
                continue
            last = stage is self._stages[-1]
            calibration = self._bundle.calibrations[stage.spec.name]
            batch = stage.ask([questions[index].text for index in asked])
            tokenise += batch.tokenise_seconds
            infer += batch.infer_seconds
            for index, raw in zip(asked, batch.rows, strict=True):
                language = questions[index].language
                answer = self._answer(stage.spec.name, raw, calibration, language)
                if last or _is_sure(answer, calibration):
                    answers[index] = answer
        whole = tuple(answers[index] for index in range(len(questions)))
        return Predictions(whole, tokenise, infer)

    def stop(self) -> None:
        """End every `predict` under way as soon as may be; each raises ModelError."""
        for stage in self._stages:
            stage.stop()

    def _answer(
        self, stage: str, raw: Raw, calibration: StageCalibration, language: str
    ) -> Prediction:
        if not (np.isfinite(raw.logits).all() and np.isfinite([raw.scope, *raw.flags]).all()):
            raise ModelError(f"Stage {stage} gave a number that is not finite.")
        fitted = calibration.of(language)
        intents = self._best(tempered(raw.logits, fitted.temperature))
        # The best always belongs: a set that names none would help nobody.
        likely = tuple(
            score.intent
            for score in intents
            if score is intents[0] or score.confidence >= calibration.least(score.intent)
        )
        return Prediction(
            intents=intents,
            in_scope=platt(raw.scope, fitted.scope_a, fitted.scope_b),
            stage=stage,
            truncated=raw.truncated,
            flags=tuple(
                FlagScore(flag, platt(logit, *calibration.flags[flag]))
                for flag, logit in zip(self._bundle.flags, raw.flags, strict=True)
            ),
            likely=likely,
        )

    def _best(self, probabilities: Floats) -> tuple[IntentScore, ...]:
        # A stable sort: equal probabilities keep the order of the labels.
        order = np.argsort(-probabilities, kind="stable")[:KEPT]
        return tuple(
            IntentScore(self._bundle.intents[index], rounded(probabilities[index]))
            for index in order
        )


def _is_sure(answer: Prediction, calibration: StageCalibration) -> bool:
    flags = (score.probability for score in answer.flags)
    return answer.intents[0].confidence >= calibration.accept and calm(
        flags, calibration.flags_below
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
    for spec in checked.manifest.stages:
        if (real := opset_of(checked.files[spec.graph])) != checked.manifest.opset:
            raise BundleError(
                f"The graph {spec.graph} of {bundle} is of operator set {real}, and the manifest "
                f"says {checked.manifest.opset}.",
                "Graph and manifest are of different models: export the bundle again.",
            )
    classifier = BundleClassifier(checked, stages)
    for sample in checked.manifest.samples:
        _check(classifier, sample, bundle)
    return classifier


def _check(classifier: BundleClassifier, sample: Sample, bundle: Path) -> None:
    try:
        answer = classifier.predict([Question(sample.text, sample.language)]).answers[0]
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
