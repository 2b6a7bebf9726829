"""A stage asked labelled texts, for its calibration."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from router.core.calibration import StageCalibration
from router.model.labelled import OUT_OF_SCOPE
from router.model.stage import Stage
from router.training.examples import Example
from router.training.fit import NO_INTENT, Measured, fit_calibration


def calibrate(
    stage: Stage, examples: Sequence[Example], labels: Sequence[str], flags: Sequence[str]
) -> StageCalibration:
    """The calibration of ``stage`` on ``examples``, which it did not learn from."""
    rows = stage.ask([example.text for example in examples]).rows
    index = {label: number for number, label in enumerate(labels)}
    measured = Measured(
        logits=np.array([row.logits for row in rows]),
        intents=np.array([index.get(example.label, NO_INTENT) for example in examples]),
        scope_logits=np.array([row.scope for row in rows]),
        in_scope=np.array([example.label != OUT_OF_SCOPE for example in examples]),
        languages=[example.language for example in examples],
        flag_logits=np.array([row.flags for row in rows]).reshape(len(rows), len(flags)),
        flags=np.array([[flag in e.flags for flag in flags] for e in examples], bool).reshape(
            len(rows), len(flags)
        ),
    )
    return fit_calibration(measured, labels, flags)
