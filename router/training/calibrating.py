"""A stage asked labelled texts, for its calibration."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from router.core.calibration import StageCalibration
from router.model.labelled import OUT_OF_SCOPE, Labelled
from router.model.stage import Asked
from router.training.examples import Example
from router.training.fit import NO_INTENT, Measured, fit_calibration


def calibrate(
    stage: Asked,
    examples: Sequence[Example | Labelled],
    labels: Sequence[str],
    flags: Sequence[str],
    before: StageCalibration | None = None,
) -> StageCalibration:
    """The calibration of ``stage`` on ``examples``, which it did not learn from; what they are too
    few to tell stays as it was ``before``."""
    raw = stage.ask([example.text for example in examples])
    index = {label: number for number, label in enumerate(labels)}
    shape = len(examples), len(flags)
    raised = [[flag in (example.flags or ()) for flag in flags] for example in examples]
    measured = Measured(
        logits=raw.logits,
        intents=np.array([index.get(example.label, NO_INTENT) for example in examples]),
        scope_logits=raw.scope,
        in_scope=np.array([example.label != OUT_OF_SCOPE for example in examples]),
        languages=[example.language for example in examples],
        flag_logits=raw.flags,
        flags=np.array(raised, bool).reshape(shape),
        told=np.array([example.flags is not None for example in examples], bool),
    )
    return fit_calibration(measured, labels, flags, before)
