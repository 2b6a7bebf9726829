"""A bundle as a classifier: its stages asked in order until each text has its answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from router.core.prediction import ModelRef, Prediction, Predictions, Question
from router.errors import BundleError, ModelError
from router.model.answers import Answers
from router.model.bundle import Bundle, read_bundle
from router.model.manifest import Sample
from router.model.opset import opset_of
from router.model.stage import Asked, open_stage

SAMPLE_TOLERANCE = 0.1
"""How far a sample's probabilities may lie from those in the manifest. Processors differ in a
float's last place, and an int8 rounding makes a hundredth of that now and then; a runtime that
computes something else lies further off."""


class BundleClassifier:
    """Implements `router.core.prediction.Classifier`. Safe to share between threads."""

    def __init__(self, bundle: Bundle, stages: Sequence[Asked]) -> None:
        self._bundle = bundle
        self._stages = tuple(stages)
        self._answers = tuple(
            Answers(
                stage.spec.name, bundle.calibrations[stage.spec.name], bundle.intents, bundle.flags
            )
            for stage in self._stages
        )

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
        for stage, calibrated in zip(self._stages, self._answers, strict=True):
            asked = [
                index
                for index, question in enumerate(questions)
                if index not in answers and stage.spec.reads(question.language)
            ]
            if not asked:
                continue
            batch = stage.ask([questions[index].text for index in asked])
            tokenise += batch.tokenise_seconds
            infer += batch.infer_seconds
            languages = [questions[index].language for index in asked]
            last = stage is self._stages[-1]
            for place, answer in calibrated.of(batch, languages, sure_alone=not last):
                answers[asked[place]] = answer
        whole = tuple(answers[index] for index in range(len(questions)))
        return Predictions(whole, tokenise, infer)

    def stop(self) -> None:
        """End every `predict` under way as soon as may be; each raises ModelError."""
        for stage in self._stages:
            stage.stop()


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
