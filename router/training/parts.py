"""What there is to learn from, to calibrate with and to measure with, of the data folder."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from router.model.labelled import IN_SCOPE, OUT_OF_SCOPE
from router.training.examples import existing, labelled, read_banking, read_clinc, write_split
from router.training.scope import ScopeData, scope_data
from router.training.split import Split, split_examples

SOURCES = (
    "banking77/train.csv",
    *(f"clinc150/{name}.jsonl" for name in ("train", "val", "oos_train", "oos_val")),
)


@dataclass(frozen=True, slots=True)
class Parts:
    """``split`` are the texts with an intent, ``scope`` those that teach scope alone."""

    split: Split
    scope: ScopeData

    def write(self, out: Path) -> None:
        """``train.csv``, ``calibration.csv`` and ``heldout.csv``; the last not where nothing of it
        is held out.

        ``heldout-own.csv`` besides asks the harder question of scope: a bank's business in
        CLINC150's words against what is not, all of intents that nothing was trained on.
        """
        split, scope = self.split, self.scope
        files = {
            "train": (split.train, scope.own, scope.foreign),
            "calibration": (split.calibration, scope.calibration_own, scope.calibration_foreign),
            "heldout-own": ((), scope.heldout_own, scope.heldout_foreign),
        }
        if split.heldout:
            files["heldout"] = (split.heldout, (), scope.heldout_foreign)
        for name, (known, own, foreign) in files.items():
            rows = (*known, *labelled(IN_SCOPE, own), *labelled(OUT_OF_SCOPE, foreign))
            write_split(out / f"{name}.csv", rows)


def read_parts(data: Path, *, whole: bool = False) -> Parts:
    """The parts of what lies in ``data``; with ``whole`` nothing of BANKING77 is held out.

    Raises:
        UsageError: a file is missing or malformed.
    """
    split = split_examples(read_banking(data))
    return Parts(split.whole() if whole else split, scope_data(read_clinc(data)))


def hashes(data: Path) -> dict[str, str]:
    """The SHA-256 of each source, by its name.

    Raises:
        UsageError: one is missing.
    """
    return {name: sha256(existing(data / name)) for name in SOURCES}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
