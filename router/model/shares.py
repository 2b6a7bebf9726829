"""A stage's raw numbers as probabilities: a batch at a time, each text by its own language."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from router.core.calibration import Floats, StageCalibration, platts, tempered


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

    def fits(self, languages: Sequence[str]) -> Floats:
        """What `intents` and `others` are to be given for texts in these ``languages``."""
        return self._fits[[self._row.get(language, 0) for language in languages]]

    def intents(self, logits: Floats, fits: Floats) -> Floats:
        """The intents' probabilities."""
        return tempered(logits, fits[:, :1])

    def others(self, others: Floats, fits: Floats) -> Floats:
        """The scope's and the flags', rounded."""
        return platts(others, fits[:, 1 : -self._others], fits[:, -self._others :])
