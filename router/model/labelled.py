"""Labelled texts to measure a model on: CSV, or JSON lines."""

from __future__ import annotations

import csv
import re
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

_JSON_LINES = frozenset({".jsonl", ".ndjson"})
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_FLAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_BETWEEN_FLAGS = re.compile(r"[\s,;|]+")
_COLUMNS = "Columns are text, label and, if you like, language and flags."


@dataclass(frozen=True, slots=True)
class Labelled:
    """``flags`` are the safety flags that the text should raise; None: nobody said."""

    text: str
    label: str
    language: str
    flags: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of ``path`` as it stands there; ``where`` names it."""

    path: Path
    where: str
    values: Mapping[str, Any]

    def refuse(self, column: str, problem: str, fix: str = _COLUMNS) -> UsageError:
        # A value is never repeated: with columns in disorder it may be a customer's text.
        return UsageError(f"{self.path}, {self.where}, column {column}: {problem}.", fix)


def read_labelled(path: Path, language: str = "en") -> list[Labelled]:
    """Rows of a CSV file, or of JSON lines where the name ends in ``.jsonl`` or ``.ndjson``.

    They have ``text``, ``label``, perhaps ``language`` (else ``language``) and perhaps ``flags``: a
    list in JSON, in CSV names with blanks, commas, semicolons or bars between them. Where a file
    has the column, an empty one says that a text has no flag.

    Raises:
        UsageError: the file cannot be read or something in it is wrong; the error names the row
            and the column.
    """
    try:
        rows = [_labelled(row, language) for row in _rows(path)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} cannot be read: {error}.") from None
    if not rows:
        raise UsageError(f"{path} holds no rows.")
    return rows


def _rows(path: Path) -> Iterator[_Row]:
    # Spreadsheets write a byte order mark, which is no part of the first column's name.
    with path.open(encoding="utf-8-sig", newline="") as stream:
        if path.suffix.lower() not in _JSON_LINES:
            reader = csv.DictReader(stream)
            for number, values in enumerate(reader, start=1):
                row = _Row(path, f"row {number} (line {reader.line_num})", values)
                if None in values:
                    raise row.refuse("after the last", "there are more values than columns")
                yield row
            return
        for number, line in enumerate(stream, start=1):
            if not line.strip():
                continue
            try:
                value = orjson.loads(line)
            except orjson.JSONDecodeError:
                value = None
            if not isinstance(value, dict):
                raise UsageError(f"{path}, row {number} is no JSON object.")
            yield _Row(path, f"row {number}", value)


def _labelled(row: _Row, language: str) -> Labelled:
    for column in ("text", "label"):
        if not isinstance(row.values.get(column), str):
            raise row.refuse(column, f"there is no {column}")
    if not row.values["label"].strip():
        raise row.refuse("label", "it is empty", "Texts of no intent are out_of_scope or in_scope.")
    named = row.values.get("language") or language
    if not (isinstance(named, str) and _LANGUAGE.fullmatch(named)):
        raise row.refuse("language", "this is no language", "Write a code of ISO 639-1, as in en.")
    return Labelled(row.values["text"], row.values["label"].strip(), named, _flags(row))


def _flags(row: _Row) -> tuple[str, ...] | None:
    value = row.values.get("flags")
    if value is None:
        return None
    names = (
        [name for name in _BETWEEN_FLAGS.split(value) if name] if isinstance(value, str) else value
    )
    if not isinstance(names, list) or not all(
        isinstance(name, str) and _FLAG.fullmatch(name) for name in names
    ):
        raise row.refuse("flags", "these are no flags", "Write their names, as in fraud complaint.")
    return tuple(dict.fromkeys(names))
