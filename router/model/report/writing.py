"""The report's files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from router.errors import UsageError
from router.model.report.confusion import intent_confusion, queue_confusion
from router.model.report.curves import reliability, risk_coverage
from router.model.report.page import page
from router.model.report.svg import Picture

PAGE = "evaluation.html"
NUMBERS = "evaluation.json"


def make_folder(folder: Path) -> None:
    """Before a long evaluation, so that it is not lost for a name.

    Raises:
        UsageError: there can be no such folder.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder} cannot be made: {error.strerror}.") from None


def write_report(report: Mapping[str, Any], folder: Path) -> list[Path]:
    """The page, the numbers as JSON and the pictures, each a file of ``folder``; what stands there
    under their names is written anew.

    Raises:
        UsageError: a file cannot be written.
    """
    drawn = pictures_of(report)
    files = {f"{picture.name}.svg": picture.alone() for picture in drawn.values()}
    files[PAGE] = page(report, drawn)
    files[NUMBERS] = json.dumps(report, ensure_ascii=False, indent=1) + "\n"
    try:
        for name, content in files.items():
            (folder / name).write_text(content, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{folder} cannot be written to: {error.strerror}.") from None
    return [folder / name for name in sorted(files)]


def pictures_of(report: Mapping[str, Any]) -> dict[str, Picture]:
    """By name; none where no text has an intent."""
    if not report["n_intent"]:
        return {}
    drawn = (reliability(report), risk_coverage(report), queue_confusion(report),
             intent_confusion(report))  # fmt: skip
    return {picture.name: picture for picture in drawn}
