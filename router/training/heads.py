"""The linear heads on the pooled vector, first fitted on the encoder as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from router.training.batches import Ids, padded
from router.training.encoder import Shape, Weights, encode, pool
from router.training.lesson import NO_INTENT, Ints, Lesson

if TYPE_CHECKING:
    import numpy.typing as npt
    import torch

INTENT = "head.intent"
SCOPE = "head.scope"
FLAGS = "head.flags"


def features(weights: Weights, shape: Shape, rows: Sequence[Ids]) -> npt.NDArray[np.float32]:
    """The pooled vector of each row of token ids, in order."""
    import torch  # noqa: PLC0415 - heavy: only when training

    order = sorted(range(len(rows)), key=lambda index: len(rows[index]))
    pooled = np.empty((len(rows), weights["embeddings.LayerNorm.bias"].shape[0]), np.float32)
    with torch.inference_mode():
        for start in range(0, len(order), 64):
            chosen = order[start : start + 64]
            ids, mask = map(torch.from_numpy, padded([rows[index] for index in chosen]))
            pooled[chosen] = pool(encode(weights, shape, ids, mask), mask).numpy()
    return pooled


def fit_heads(pooled: npt.NDArray[np.float32], lesson: Lesson) -> dict[str, torch.Tensor]:
    """Logistic regressions on ``pooled``, the vectors of the texts of ``lesson``; there is a head
    of flags where any text has one."""
    import torch  # noqa: PLC0415 - heavy: only when training
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - heavy, likewise

    def fitted(rows: npt.NDArray[np.float32], truth: Ints, **how: Any) -> Any:
        return LogisticRegression(C=1.0, max_iter=300, **how).fit(rows, truth)

    known = lesson.intents != NO_INTENT
    models = {
        INTENT: [fitted(pooled[known], lesson.intents[known])],
        SCOPE: [fitted(pooled, lesson.scope, class_weight="balanced")],
    }
    if lesson.flags.any():
        models[FLAGS] = [fitted(pooled, flag) for flag in lesson.flags.T]
    found = {
        f"{head}.{part}": np.concatenate([getattr(one, name) for one in some])
        for head, some in models.items()
        for part, name in (("weight", "coef_"), ("bias", "intercept_"))
    }
    for name in (f"{INTENT}.weight", f"{INTENT}.bias"):
        if len(found[name]) == 1:
            # Of two intents the regression tells how much more the second is.
            found[name] = np.concatenate((-found[name] / 2, found[name] / 2))
    return {
        name: torch.from_numpy(np.ascontiguousarray(values, np.float32))
        for name, values in found.items()
    }
