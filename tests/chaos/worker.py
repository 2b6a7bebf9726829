"""``python -m tests.chaos.worker``: the real worker with a model that fails when a file says so.

``CHAOS_MODEL`` names the file. While it is there, its first word is done at each call of the model
instead of an answer: ``raise``, ``memory`` (a MemoryError) or ``hang`` (until the file says
otherwise). Without it the model answers as ever; so does the worker without the variable.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from router.assembly import build_line
from router.core.asking import OnFault
from router.core.breaker import Watch
from router.core.choosing import ModelSet
from router.core.clock import Clock
from router.core.line import Line
from router.core.prediction import Classifier, ModelRef, Predictions, Question
from router.ops.logging import configure_logging
from router.settings import Settings, load_settings
from router.stream.worker import run_worker

_LOOK = 0.02  # seconds between two looks at the file of a call that hangs


class FaultyClassifier:
    """``classifier``, with the faults that ``orders`` asks for. It cannot be stopped, as a kernel
    that hangs cannot."""

    def __init__(self, classifier: Classifier, orders: Path) -> None:
        self._classifier = classifier
        self._orders = orders

    @property
    def ref(self) -> ModelRef:
        return self._classifier.ref

    @property
    def languages(self) -> frozenset[str]:
        return self._classifier.languages

    @property
    def intents(self) -> tuple[str, ...]:
        return self._classifier.intents

    @property
    def flags(self) -> tuple[str, ...]:
        return self._classifier.flags

    def predict(self, questions: Sequence[Question]) -> Predictions:
        order = self._order()
        if order == "raise":
            raise RuntimeError("the model was told to fail")
        if order == "memory":
            raise MemoryError
        while order == "hang":
            time.sleep(_LOOK)
            order = self._order()
        return self._classifier.predict(questions)

    def _order(self) -> str:
        try:
            return self._orders.read_text().strip()
        except FileNotFoundError:
            return ""


def faulty_line(
    settings: Settings,
    clock: Clock,
    on_fault: OnFault,
    watch: Watch | None = None,
) -> Line:
    """`router.assembly.build_line` with the model that ``CHAOS_MODEL`` can break."""
    line = build_line(settings, clock, on_fault, watch)
    orders = os.environ.get("CHAOS_MODEL")
    live = line.models.live
    if orders and live is not None:
        faulty = replace(live, classifier=FaultyClassifier(live.classifier, Path(orders)))
        return line.with_models(ModelSet(live=faulty))
    return line


def main() -> None:
    settings = load_settings(os.environ)
    configure_logging(settings)
    code = run_worker(settings, faulty_line)
    sys.stderr.flush()
    os._exit(code)  # a call may hang


if __name__ == "__main__":
    main()
