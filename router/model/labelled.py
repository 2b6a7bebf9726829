"""Labelled texts to measure a model on: CSV, or JSON lines."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from router.errors import UsageError

OUT_OF_SCOPE = "out_of_scope"
"""The label of a text that is not a bank's business."""

IN_SCOPE = "in_scope"
"""The label of a text that is, of no intent in particular: it counts for scope alone."""


@dataclass(frozen=True, slots=True)
class Labelled:
    text: str
    label: str
    language: str
    flags: tuple[str, ...] | None = None
    """The safety flags that it should raise; None: the file does not say."""


def read_labelled(path: Path) -> list[Labelled]:
    """Rows of a CSV file, or of JSON lines where the name ends in ``.jsonl``, with ``text``,
    ``label`` and perhaps ``language`` (else ``en``) and ``flags`` (a list; in a CSV file, names
    with spaces between).

    Raises:
        UsageError: the file cannot be read or a row lacks a column; the error names it.
    """
    try:
        rows = list(_rows(path))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} cannot be read: {error}.") from None
    labelled = []
    for number, row in enumerate(rows, start=1):
        for column in ("text", "label"):
            if not isinstance(row.get(column), str):
                raise UsageError(
                    f"{path}, row {number}: there is no {column}.",
                    "Columns are text, label and, if you like, language.",
                )
        flags = _flags(row, f"{path}, row {number}")
        labelled.append(Labelled(row["text"], row["label"], row.get("language") or "en", flags))
    if not labelled:
        raise UsageError(f"{path} holds no rows.")
    return labelled


def _flags(row: Mapping[str, Any], where: str) -> tuple[str, ...] | None:
    given = row.get("flags")
    if isinstance(given, str):
        given = given.split()
    if given is None:
        return None
    if not isinstance(given, list) or not all(isinstance(name, str) for name in given):
        raise UsageError(f"{where}: flags must be a list of names.")
    return tuple(given)


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    with path.open(encoding="utf-8", newline="") as stream:
        if path.suffix != ".jsonl":
            yield from csv.DictReader(stream)
            return
        for number, line in enumerate(stream, start=1):
            try:
                row = orjson.loads(line)
            except orjson.JSONDecodeError:
                row = None
            if not isinstance(row, dict):
                raise UsageError(f"{path}, line {number} is no JSON object.")
            yield row
