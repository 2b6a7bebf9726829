"""Texts to calibrate small bundles on, and a bench that does it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from router.model.bundle import read_bundle
from router.training.recalibrating import recalibrate
from tests.model.gate_bundles import words_of, write_rows
from tests.model.tiny import TinyStage, write_bundle

Row = Mapping[str, Any]
LOST: Mapping[str, Sequence[float]] = {"lost": (3.0, 0.0, 0.0)}


def messages(count: int = 300, start: str = "x", **more: Any) -> list[Row]:
    """Different texts that `LOST` takes for the same intent, seven in ten of them rightly."""
    return [
        {"text": f"lost {word}", "label": "lost_card" if n % 10 < 7 else "fees", **more}
        for n, word in enumerate(words_of(count, start))
    ]


def foreign(count: int = 60) -> list[Row]:
    """As many tokens as they have less, so much less is their scope."""
    return [{"text": word, "label": "out_of_scope"} for word in words_of(count, "y")]


class Bench:
    def __init__(self, folder: Path) -> None:
        self.data = folder / "rows.jsonl"
        self.old = folder / "models" / "tiny" / "1"
        self.new = folder / "models" / "tiny" / "2"

    def run(self, *stages: TinyStage, rows: Sequence[Row]) -> dict[str, Any]:
        if not self.old.exists():
            write_bundle(self.old, *stages)
        write_rows(self.data, rows)
        return recalibrate(self.old, self.data, self.new)

    def calibration(self, stage: str = "only") -> Any:
        return read_bundle(self.new).calibrations[stage]

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.data.read_bytes()).hexdigest()
