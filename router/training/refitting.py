"""Every stage of a bundle calibrated anew on the same labelled texts.

A stage is fitted on the texts of the languages that it answers: those it reads and that no stage
before it answers whole. What of its calibration they are too few to tell stays as it was.

A stage that answers only what it is sure of (``accept`` above 0) has its ``accept`` fitted anew
too, by the rule of `router.training.acceptance` and against the stages behind it as they then are.
It cannot stay: it is a threshold on the confidence, which another temperature makes another number,
and what it was shown not to harm are answers that have changed. Its flags' calibration stays where
``flags_below`` depends on it: that was fitted on texts with flags in plenty, though together with
the old ``accept``; what the new one lets through of them is not tested again.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from router.core.binomial import fewest
from router.core.calibration import Floats, StageCalibration
from router.core.prediction import Question
from router.errors import UsageError
from router.model.bundle import Bundle
from router.model.classifier import BundleClassifier
from router.model.labelled import Labelled
from router.model.stage import Asked, RawBatch
from router.training.acceptance import CONFIDENCE, HARM, accepted_of
from router.training.calibrating import calibrate

FOLDS = 5
"""So many parts are the texts cut into, to measure on each what the others gave."""

Calibrations = dict[str, StageCalibration]


class Remembering:
    """A stage that is asked each text once: its numbers depend on nothing else."""

    def __init__(self, stage: Asked) -> None:
        self.spec = stage.spec
        self._stage = stage
        self._known: dict[str, tuple[Floats, Floats, bool]] = {}

    def stop(self) -> None:
        self._stage.stop()

    def ask(self, texts: Sequence[str]) -> RawBatch:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            raw = self._stage.ask(new)
            rows = zip(raw.logits, raw.others, raw.truncated, strict=True)
            self._known |= zip(new, rows, strict=True)
        logits, others, truncated = zip(*(self._known[text] for text in texts), strict=True)
        return RawBatch(np.array(logits), np.array(others), list(truncated), 0.0, 0.0)


class Refitting:
    """The calibrations of ``whole``, whose ``stages`` are asked, by any labelled texts."""

    def __init__(self, whole: Bundle, stages: Sequence[Asked]) -> None:
        self.whole = whole
        self._stages = tuple(stages)
        self.languages = _answered(whole)

    def classifier(self, calibrations: Calibrations, first: int = 0) -> BundleClassifier:
        """The bundle with other ``calibrations``, from its stage ``first`` on."""
        whole = dataclasses.replace(self.whole, calibrations=calibrations)
        return BundleClassifier(whole, self._stages[first:])

    def fit(self, rows: Sequence[Labelled], chosen: Collection[str]) -> Calibrations:
        """The stages ``chosen`` fitted on ``rows``, the others as they were.

        Raises:
            UsageError: the texts cannot show that a stage which answers what it is sure of may.
        """
        fitted = dict(self.whole.calibrations)
        # From behind: what a stage may answer depends on the stages that would answer else.
        for number, stage in reversed(list(enumerate(self._stages))):
            name = stage.spec.name
            here = self.texts_of(name, rows)
            if name in chosen:
                fitted[name] = self._calibrated(stage, here)
            if here and self.only_when_sure(name) and fitted != self.whole.calibrations:
                fitted[name] = self._accepting(number, fitted, here)
        return fitted

    def texts_of(self, stage: str, rows: Sequence[Labelled]) -> list[Labelled]:
        """Those that ``stage`` is calibrated on."""
        return [row for row in rows if row.language in self.languages[stage]]

    def only_when_sure(self, stage: str) -> bool:
        last = self.whole.manifest.stages[-1].name
        return stage != last and self.whole.calibrations[stage].accept > 0

    def told(self, stage: str, fitted: Calibrations, rows: Sequence[Labelled]) -> dict[str, Any]:
        """What changed of ``stage`` by ``rows``: before and after, None where there is no such."""
        old, new = self.whole.calibrations[stage], fitted[stage]
        own = sorted(old.languages.keys() | new.languages.keys())
        return {
            "texts": len(self.texts_of(stage, rows)),
            "refitted": old != new,
            "temperature": _both(old.temperature, new.temperature),
            "languages": {
                code: _both(old.of(code).temperature, new.of(code).temperature) for code in own
            },
            "accept": _both(old.accept, new.accept) if self.only_when_sure(stage) else None,
            "scope": (old.scope_a, old.scope_b) != (new.scope_a, new.scope_b),
            "flags": [name for name in new.flags if new.flags[name] != old.flags[name]],
        }

    def _calibrated(self, stage: Asked, rows: Sequence[Labelled]) -> StageCalibration:
        name = stage.spec.name
        old = self.whole.calibrations[name]
        languages = {code: old.of(code) for code in {*self.languages[name], *old.languages}}
        before = dataclasses.replace(old, languages=languages)
        new = calibrate(stage, rows, self.whole.intents, self.whole.flags, before)
        flags = old.flags if old.flags_below < 1 else new.flags
        return dataclasses.replace(new, accept=old.accept, flags_below=old.flags_below, flags=flags)

    def _accepting(
        self, number: int, fitted: Calibrations, rows: Sequence[Labelled]
    ) -> StageCalibration:
        name = self._stages[number].spec.name
        asked = [Question(row.text, row.language) for row in rows]
        first = BundleClassifier(
            dataclasses.replace(self.whole, calibrations=fitted), [self._stages[number]]
        )
        accepted = accepted_of(
            first.predict(asked).answers,
            self.classifier(fitted, number + 1).predict(asked).answers,
            rows,
            fitted[name].flags_below,
        )
        if not accepted.share:
            raise _too_few(name)
        return dataclasses.replace(fitted[name], accept=accepted.accept)


def _both(before: float, after: float) -> dict[str, float]:
    return {"before": before, "after": after}


def _answered(whole: Bundle) -> dict[str, frozenset[str]]:
    left = frozenset(whole.manifest.languages)
    found = {}
    for spec in whole.manifest.stages:
        found[spec.name] = frozenset(language for language in left if spec.reads(language))
        if not whole.calibrations[spec.name].accept:
            left -= found[spec.name]
    return found


def _too_few(stage: str) -> UsageError:
    # So many in each fold's rest, where not one speaks against it.
    least = math.ceil(fewest(0, HARM, 1 - CONFIDENCE) * FOLDS / (FOLDS - 1))
    return UsageError(
        f"The texts do not show from which confidence on stage {stage} may answer by itself: at "
        f"most {HARM:.1%} of what it answers may be right by the others and wrong by it, and a "
        "threshold on the old confidence says nothing of the new.",
        f"Give more: {least} that it answers at least as well as the others, besides those that "
        "it is not sure of. Or calibrate the bundle without it and run `router model cascade`.",
    )
