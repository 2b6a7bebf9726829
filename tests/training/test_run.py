"""A run folder is never written over, and never continued as another run."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the extra `train` is not installed")

from router.errors import UsageError
from router.training.recipe import Recipe
from router.training.run import train


def _start(out: Path, recipe: Recipe, *, resume: bool) -> None:
    """Starts a run that goes no further than the missing data."""
    train(
        out / "no-data",
        out / "no-texts",
        out,
        recipe,
        threads=1,
        device="cpu",
        resume=resume,
        tell=lambda _: None,
    )


def test_a_run_without_its_data_says_which_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"train\.csv is missing"):
        _start(tmp_path, Recipe(), resume=False)


def test_a_run_is_not_written_over(tmp_path: Path) -> None:
    for problem in ("is missing", "holds a run"):
        with pytest.raises(UsageError, match=problem):
            _start(tmp_path, Recipe(), resume=False)


def test_a_run_goes_on_with_its_own_recipe_alone(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is missing"):
        _start(tmp_path, Recipe(), resume=True)
    with pytest.raises(UsageError, match="started with another recipe"):
        _start(tmp_path, Recipe(seed=8), resume=True)
    with pytest.raises(UsageError, match="is missing"):
        _start(tmp_path, Recipe(), resume=True)
