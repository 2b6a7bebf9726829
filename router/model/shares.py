"""A stage's raw numbers as probabilities: a batch at a time, each text by its own language."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from router.core.calibration import Floats, StageCalibration, platts, tempered
from router.model.stage import RawBatch


class Shares:
    """What ``calibration`` makes of a stage's numbers; ``flags`` names the flags in their order."""

    def __init__(self, calibration: StageCalibration, flags: Sequence[str]) -> None:
        # A row for each language that has a fit of its own, behind the one for all others.
        self._row = {language: row for row, language in enumerate(calibration.languages, start=1)}
        self._others = 1 + len(flags)
        pairs = [calibration.flags[flag] for flag in flags]
        a_of_flags, b_of_flags = [a for a, _ in pairs], [b for _, b in pairs]
        self._fits = np.array([
            [fit.temperature, fit.scope_a, *a_of_flags, fit.scope_b, *b_of_flags]
            for fit in (calibration.whole, *calibration.languages.values())
        ])  # fmt: skip

    def of(self, raw: RawBatch, languages: Sequence[str]) -> tuple[Floats, Floats]:
        """For each text, whose language is among ``languages``, its intents' probabilities, and
        then its scope's and flags', rounded."""
        fits = self._fits[[self._row.get(language, 0) for language in languages]]
        a, b = fits[:, 1 : -self._others], fits[:, -self._others :]
        return tempered(raw.logits, fits[:, :1]), platts(raw.others, a, b)
