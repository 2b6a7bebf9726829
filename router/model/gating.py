"""The gate from end to end: two folders and some files in, a verdict out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from router.core.policy import Policy
from router.model.classifier import load_classifier
from router.model.gate import Limits, Line, compare_size, compare_speed, judge, passes
from router.model.gate_record import DataFile, Judged, record_of
from router.model.labelled import read_labelled
from router.model.manifest import MANIFEST, parse_manifest
from router.model.shelf import size_of


def hold(
    new: Path,
    live: Path,
    data: Sequence[Path],
    policy: Policy,
    limits: Limits,
    *,
    at: str,
    threads: int = 1,
    advance: Callable[[int, int], None] = lambda _, __: None,
) -> tuple[dict[str, Any], list[Line]]:
    """The record of the verdict on the bundle ``new`` against the bundle ``live``, and its lines.

    ``advance`` is told how many answers have been given since last, and of how many in all.

    Raises:
        BundleError: a bundle cannot be loaded.
        UsageError: a file of ``data`` is no table of labelled texts.
        ModelError: a model failed.
    """
    files = tuple(DataFile(p.name, hashlib.sha256(p.read_bytes()).hexdigest()) for p in data)
    rows = [row for path in data for row in read_labelled(path)]
    asked, beaten = load_classifier(new, threads), load_classifier(live, threads)
    whole = 2 * len(rows)
    lines = judge(
        asked, beaten, rows, policy, limits.tolerance, advance=lambda more: advance(more, whole)
    )
    lines.append(compare_speed(asked, beaten, rows, limits.slower))
    lines.append(compare_size(_bytes(new), _bytes(live), limits.larger))
    judged = Judged(asked.ref, beaten.ref, files, len(rows), policy.ref)
    return record_of(judged, limits, lines, at, passed=passes(lines)), lines


def _bytes(folder: Path) -> int:
    return size_of(parse_manifest((folder / MANIFEST).read_bytes(), folder / MANIFEST))
