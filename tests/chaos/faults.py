"""A model that costs nothing, says the same of the same words, and fails when a file says so."""

from __future__ import annotations

import time
import zlib
from collections.abc import Sequence
from pathlib import Path

from router.core.prediction import IntentScore, ModelRef, Prediction, Predictions

_REF = ModelRef("chaos", "1", "0" * 64)
_LOOK = 0.02


class CheapClassifier:
    """``orders`` is the file: ``raise``, ``memory`` (a MemoryError) or ``hang`` (until the file
    says otherwise); without it there is an answer."""

    ref = _REF
    languages = frozenset({"en"})
    intents = ("stolen_card", "card_arrival", "card_broken", "payment_pending")

    def __init__(self, orders: Path) -> None:
        self._orders = orders

    def predict(self, texts: Sequence[str]) -> Predictions:
        order = self._order()
        if order == "raise":
            raise RuntimeError("the model was told to fail")
        if order == "memory":
            raise MemoryError
        while order == "hang":
            time.sleep(_LOOK)
            order = self._order()
        return Predictions(tuple(map(self._predict, texts)), 0.0, 0.0)

    def _predict(self, text: str) -> Prediction:
        """Of ten texts one is not sure enough, one out of scope."""
        dice = zlib.crc32(text.encode())
        confidence = 0.3 if dice % 10 == 0 else 0.9
        intent = IntentScore(self.intents[dice // 100 % len(self.intents)], confidence)
        return Prediction((intent,), 0.1 if dice % 10 == 1 else 0.9, "only", truncated=False)

    def _order(self) -> str:
        try:
            return self._orders.read_text().strip()
        except FileNotFoundError:
            return ""


class English:
    """A language step."""

    def language_of(self, text: str, locale: str | None) -> str:
        return "en"
