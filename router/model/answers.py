"""A stage's raw numbers as answers: calibrated, a batch at a time, and only those that are given.

What can be is computed as arrays, a text a row; whatever its batch mates, a row's numbers are those
that it would get alone. Objects are made of what leaves the model and of nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import compress

import numpy as np

from router.core.calibration import Floats, StageCalibration, all_rounded, calm, least_rounded_to
from router.core.prediction import FlagScore, IntentScore, Prediction
from router.errors import ModelError
from router.model.shares import Shares
from router.model.stage import RawBatch

KEPT = 10
"""Most intents that an answer names."""


class Answers:
    """What the stage ``stage`` answers by its ``calibration``."""

    def __init__(
        self,
        stage: str,
        calibration: StageCalibration,
        intents: Sequence[str],
        flags: Sequence[str],
    ) -> None:
        self._stage = stage
        self._accept = least_rounded_to(calibration.accept)
        self._flags_below = calibration.flags_below
        self._intents = tuple(intents)
        self._flags = tuple(flags)
        self._shares = Shares(calibration, flags)
        self._least = np.array([calibration.least(intent) for intent in intents])

    def of(
        self, raw: RawBatch, languages: Sequence[str], *, sure_alone: bool
    ) -> Iterator[tuple[int, Prediction]]:
        """The places in the batch that get an answer, each with it; with ``sure_alone`` only those
        that the stage is sure of.

        Raises:
            ModelError: a number is not finite.
        """
        if not (np.isfinite(raw.logits).all() and np.isfinite(raw.others).all()):
            raise ModelError(f"Stage {self._stage} gave a number that is not finite.")
        fits = self._shares.fits(languages)
        probabilities = self._shares.intents(raw.logits, fits)
        if not sure_alone:
            others = self._shares.others(raw.others, fits)
            return enumerate(self._told(probabilities, others, raw.truncated))
        # Most are not sure, and their scope and flags nobody reads.
        sure = np.flatnonzero(probabilities.max(axis=1) >= self._accept)
        if not sure.size:
            return iter(())
        others = self._shares.others(raw.others[sure], fits[sure])
        calm_ones = calm(others[:, 1:], self._flags_below)
        places = sure[calm_ones].tolist()
        truncated = [raw.truncated[place] for place in places]
        told = self._told(probabilities[places], others[calm_ones], truncated)
        return zip(places, told, strict=True)

    def _told(
        self, probabilities: Floats, others: Floats, truncated: Sequence[bool]
    ) -> Iterator[Prediction]:
        # A stable sort: equal probabilities keep the order of the labels.
        order = np.argsort(-probabilities, axis=1, kind="stable")[:, :KEPT]
        confidences = all_rounded(probabilities[np.arange(len(order))[:, np.newaxis], order])
        likely = confidences >= self._least[order]
        likely[:, 0] = True  # the best always: a set that names none would help nobody
        for best, scores, belongs, (scope, *flags), cut in zip(
            order.tolist(), confidences.tolist(), likely.tolist(), others.tolist(), truncated,
            strict=True,
        ):  # fmt: skip
            names = [self._intents[index] for index in best]
            yield Prediction(
                intents=tuple(map(IntentScore, names, scores)),
                in_scope=scope,
                stage=self._stage,
                truncated=cut,
                flags=tuple(map(FlagScore, self._flags, flags)),
                likely=tuple(compress(names, belongs)),
            )
