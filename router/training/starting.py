"""The run that another goes on from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from router.errors import UsageError
from router.training.finished_run import finished_runs
from router.training.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Before:
    """``recipes`` are its own and those of the runs before it, the first of them first."""

    folder: Path
    labels: tuple[str, ...]
    recipes: tuple[Mapping[str, Any], ...]
    sha256: str

    @property
    def weights(self) -> Path:
        return self.folder / "weights.safetensors"

    def fits(self, labels: Sequence[str]) -> None:
        """See that its heads are of ``labels``.

        Raises:
            UsageError: they are not.
        """
        if self.labels != tuple(labels):
            raise UsageError(
                f"The run in {self.folder} knows other intents than the texts have.",
                "Start from the encoder: leave --from out.",
            )


def before_of(folder: Path, recipe: Recipe) -> Before:
    """The finished run in ``folder``, for a run of ``recipe`` to start from.

    Raises:
        UsageError: there is none, or it is of another encoder or of other layers.
    """
    (run,) = finished_runs([folder])
    theirs = run.facts["recipe"]
    if (theirs["encoder"], theirs["layers"]) != (recipe.encoder, recipe.layers):
        raise UsageError(
            f"The run in {folder} is of {theirs['encoder']} with {theirs['layers']} layers.",
            "Give the same --encoder and --layers.",
        )
    weights = (folder / "weights.safetensors").read_bytes()
    return Before(
        folder,
        tuple(run.facts["labels"]),
        (*run.facts.get("before", ()), theirs),
        hashlib.sha256(weights).hexdigest(),
    )
