"""The two linear heads on the pooled vector, first fitted on the encoder as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from router.training.batches import Ids, padded
from router.training.encoder import Shape, Weights, encode, pool

if TYPE_CHECKING:
    import numpy.typing as npt
    import torch

INTENT = "head.intent"
SCOPE = "head.scope"


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


def fit_heads(
    pooled: npt.NDArray[np.float32],
    intents: npt.NDArray[np.int64],
    in_scope: npt.NDArray[np.float32],
) -> dict[str, torch.Tensor]:
    """Logistic regressions on ``pooled``: intents on the rows whose intent is not −1, scope on
    all rows."""
    import torch  # noqa: PLC0415 - heavy: only when training
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - heavy, likewise

    known = intents >= 0
    intent = LogisticRegression(C=1.0, max_iter=150).fit(pooled[known], intents[known])
    scope = LogisticRegression(C=1.0, max_iter=300, class_weight="balanced").fit(pooled, in_scope)
    fitted = ((INTENT, intent), (SCOPE, scope))
    return {
        f"{head}.{part}": torch.from_numpy(np.ascontiguousarray(values, np.float32))
        for head, model in fitted
        for part, values in (("weight", model.coef_), ("bias", model.intercept_))
    }
