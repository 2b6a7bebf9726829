"""The run that another goes on from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from router.errors import UsageError
from router.training.finished_run import FinishedRun, finished_runs
from router.training.own import FLAGS
from router.training.parts import SOURCES, sha256
from router.training.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Before:
    """``runs`` are the recipe and the data of it and of those before it, the first one first."""

    run: FinishedRun
    runs: tuple[Mapping[str, Any], ...]
    sha256: str

    @property
    def weights(self) -> Path:
        return self.run.folder / "weights.safetensors"

    def fits(self, labels: Sequence[str], data: Mapping[str, str], tokenizer: str) -> None:
        """See that it knows these ``labels``, held out what this run does, and reads the same
        word pieces. ``data`` are the SHA-256 of what this run learns from.

        Raises:
            UsageError: it does not.
        """
        folder, facts = self.run.folder, self.run.facts
        from_scratch = "Start from the encoder: leave --from out."
        if (facts["labels"], facts["flags"]) != (list(labels), list(FLAGS)):
            raise UsageError(f"The run in {folder} knows other intents or flags.", from_scratch)
        # The split hangs on these files; our own messages are parted by each one's hash.
        if other := [name for name in SOURCES if facts["data"].get(name) != data[name]]:
            raise UsageError(
                f"The run in {folder} learnt from another {other[0]}: it may have learnt what this "
                "one holds out.",
                from_scratch,
            )
        if (folder / "tokenizer.json").read_text(encoding="utf-8") != tokenizer:
            raise UsageError(f"The run in {folder} reads other word pieces.", from_scratch)


def before_of(folder: Path, recipe: Recipe) -> Before:
    """The finished run in ``folder``, for a run of ``recipe`` to start from.

    Raises:
        UsageError: there is none, it is of another encoder or of other layers, or it learnt from
            what the new one holds out.
    """
    (run,) = finished_runs([folder])
    theirs = run.facts["recipe"]
    if (theirs["encoder"], theirs["layers"]) != (recipe.encoder, recipe.layers):
        raise UsageError(
            f"The run in {folder} is of {theirs['encoder']} with {theirs['layers']} layers.",
            "Give the same --encoder and --layers.",
        )
    runs = (*run.facts["before"], {name: run.facts[name] for name in ("recipe", "data")})
    if held_nothing_out(runs) and not recipe.whole:
        raise UsageError(
            f"The run in {folder} learnt from the part that this one would hold out.",
            "Give --whole, or start from another.",
        )
    return Before(run, runs, sha256(folder / "weights.safetensors"))


def held_nothing_out(runs: Iterable[object]) -> bool:
    """Whether any of ``runs``, with those before it, learnt from the part that is held out. What is
    no run of ours says nothing of it."""
    for run in runs:
        if isinstance(run, Mapping):
            recipe = run.get("recipe")
            if isinstance(recipe, Mapping) and recipe.get("whole"):
                return True
            if held_nothing_out(run.get("before") or ()):
                return True
    return False
