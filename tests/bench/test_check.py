"""When a ratio counts as lost, and what the check then says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.bench import check
from tests.bench.figures import Ratio
from tests.bench.verdict import LEAST_NOISE, compare


def calm(value: float, name: str = "r", better: str = "higher") -> Ratio:
    return Ratio(name, (value, value, value), better)  # type: ignore[arg-type]  # one of two words


@pytest.mark.parametrize(
    ("was", "now", "lost"),
    [
        (calm(1.0), calm(0.9), True),
        (calm(1.0), calm(0.96), False),
        (calm(1.0), calm(2.0), False),
        (calm(1.0, better="lower"), calm(1.1, better="lower"), True),
        (calm(1.0, better="lower"), calm(0.5, better="lower"), False),
        # Repeats of either differ by a fifth: a tenth less says nothing.
        (Ratio("r", (0.9, 1.0, 1.1)), calm(0.9), False),
        (calm(1.0), Ratio("r", (0.8, 0.9, 1.0)), False),
        (Ratio("r", (0.9, 1.0, 1.1)), calm(0.7), True),
        # Nobody knows how far a single round may be trusted.
        (calm(1.0), Ratio("r", (0.75,)), False),
        (calm(1.0), Ratio("r", (0.65,)), True),
    ],
)
def test_a_loss_counts_where_it_is_larger_than_the_noise(
    was: Ratio, now: Ratio, lost: bool
) -> None:
    assert compare(was, now).lost is lost


def test_repeats_that_agree_by_chance_have_some_noise_all_the_same() -> None:
    assert compare(calm(1.0), calm(1.0)).noise == LEAST_NOISE


def run(
    was: Sequence[Ratio],
    now: Sequence[Ratio],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> int:
    for name, ratios in (("was", was), ("now", now)):
        document = {"ratios": [asdict(ratio) for ratio in ratios]}
        (folder / name).write_text(json.dumps(document))
    monkeypatch.setattr("sys.argv", ["check", str(folder / "was"), str(folder / "now")])
    return check.main()


def test_the_check_passes_where_nothing_is_lost_and_states_the_noise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([calm(1.0)], [calm(0.97), calm(1.0, "more")], tmp_path, monkeypatch) == 0
    out = capsys.readouterr().out
    assert "holds r: 1.00 → 0.97 (loss +3%, noise 5%)" in out
    assert "new   more" in out


@pytest.mark.parametrize("now", [[calm(0.5)], [], [calm(1.0, "another")]])
def test_the_check_fails_where_a_ratio_is_lost_or_gone(
    now: list[Ratio], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run([calm(1.0)], now, tmp_path, monkeypatch) == 1
