"""The samples of a manifest: texts with what the bundle answered when it was made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from router.core.prediction import Prediction, Question

_AS_LIKELY_AS_NOT = 0.5


def samples_of(asked: Sequence[Question], answers: Sequence[Prediction]) -> list[dict[str, Any]]:
    """As the manifest's schema has them."""
    return [
        {
            "text": question.text,
            "language": question.language,
            "intent": answer.intents[0].intent,
            "confidence": answer.intents[0].confidence,
            "in_scope": answer.in_scope,
            "flags": [flag.flag for flag in answer.flags if flag.probability >= _AS_LIKELY_AS_NOT],
        }
        for question, answer in zip(asked, answers, strict=True)
    ]
