"""What a training run left in its folder, as far as it shapes a bundle."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from router.errors import UsageError


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A run folder with what its ``run.json`` says, and the stage that it becomes."""

    folder: Path
    facts: Mapping[str, Any]

    @property
    def name(self) -> str:
        name: str = self.facts["recipe"]["encoder"]
        return name

    @property
    def graph(self) -> str:
        return f"{self.name}.onnx"

    @property
    def tokenizer(self) -> str:
        return f"{self.name}-tokenizer.json"


def finished_runs(folders: Sequence[Path]) -> list[FinishedRun]:
    """The runs in ``folders``, in their order.

    Raises:
        UsageError: one is not finished, or they are not of one bundle: of other intents or flags
            than the first, or of an encoder that another is of.
    """
    runs = [FinishedRun(folder, _facts(folder)) for folder in folders]
    for number, run in enumerate(runs):
        for what in ("labels", "flags"):
            if run.facts[what] != runs[0].facts[what]:
                raise UsageError(
                    f"{run.folder} and {runs[0].folder} do not know the same {what}.",
                    "Train both from the same models/texts.",
                )
        if run.name in {before.name for before in runs[:number]}:
            raise UsageError(f"Two runs are of the encoder {run.name}.", "A stage has one name.")
    return runs


def _facts(run: Path) -> dict[str, Any]:
    path = run / "run.json"
    if not path.is_file():
        raise UsageError(
            f"{run} holds no finished training run: run.json is missing.",
            "Run `router model train` first, or go on with --resume.",
        )
    facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return facts
