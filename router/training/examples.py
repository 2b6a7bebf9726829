"""Labelled texts: how the public data sets and our own split files are read and written."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from router.errors import UsageError

FRAUD_INTENTS = frozenset({
    "lost_or_stolen_card", "lost_or_stolen_phone", "compromised_card",
    "card_payment_not_recognised", "direct_debit_payment_not_recognised",
    "cash_withdrawal_not_recognised",
    "report_fraud", "report_lost_card",
})  # fmt: skip
"""Intents of BANKING77 and, the last two, of CLINC150 whose texts carry the flag `fraud` by its
definition in `models/texts/labels.md`; their other texts count as without a flag."""


@dataclass(frozen=True, slots=True)
class Example:
    """``label`` is an intent, or a CLINC150 intent's name before scope is decided."""

    text: str
    label: str
    language: str = "en"
    flags: tuple[str, ...] = ()


def read_banking(data: Path) -> list[Example]:
    """``banking77/train.csv`` under ``data``, columns ``text`` and ``category``; flagged by intent.

    Raises:
        UsageError: the file is missing or lacks a column.
    """
    return [
        _flagged(example)
        for example in _read_csv(existing(data / "banking77" / "train.csv"), "category")
    ]


def read_clinc(data: Path) -> list[Example]:
    """All of CLINC150's public parts under ``data/clinc150``; out-of-scope rows carry ``oos``.

    Raises:
        UsageError: a file is missing or a line is not JSON with ``text`` and ``label``.
    """
    names = ("train", "val", "oos_train", "oos_val")
    return [
        _flagged(example)
        for name in names
        for example in _read_lines(existing(data / "clinc150" / f"{name}.jsonl"))
    ]


def read_split(path: Path) -> list[Example]:
    """A split file written by `write_split`.

    Raises:
        UsageError: the file is missing or lacks a column.
    """
    return _read_csv(existing(path), "label")


def write_split(path: Path, examples: Iterable[Example]) -> None:
    """Columns ``text`` and ``label``, as `router model evaluate` reads them; where an example has
    a language besides English or a flag, also ``language`` and ``flags`` (parted by spaces)."""
    examples = list(examples)
    more = any(e.language != "en" or e.flags for e in examples)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("text", "label", *(("language", "flags") if more else ())))
        writer.writerows(
            (e.text, e.label, *((e.language, " ".join(e.flags)) if more else ())) for e in examples
        )


def intents_of(examples: Sequence[Example]) -> tuple[str, ...]:
    """The labels in alphabetical order: a model's fixed label order."""
    return tuple(sorted({e.label for e in examples}))


def labelled(label: str, examples: Iterable[Example]) -> list[Example]:
    """``examples`` under one ``label``."""
    return [replace(example, label=label) for example in examples]


def _flagged(example: Example) -> Example:
    return replace(example, flags=("fraud",)) if example.label in FRAUD_INTENTS else example


def existing(path: Path) -> Path:
    """``path``.

    Raises:
        UsageError: there is no such file.
    """
    if not path.is_file():
        raise UsageError(f"The data file {path} is missing.", "Give its folder with --data.")
    return path


def _read_csv(path: Path, label: str) -> list[Example]:
    with path.open(encoding="utf-8", newline="") as stream:
        rows = csv.DictReader(stream)
        if missing := {"text", label} - set(rows.fieldnames or ()):
            raise UsageError(f"{path} has no column {min(missing)}.")
        return [
            Example(
                row["text"].strip(),
                row[label],
                row.get("language") or "en",
                tuple((row.get("flags") or "").split()),
            )
            for row in rows
        ]


def _read_lines(path: Path) -> list[Example]:
    examples = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            row = json.loads(line)
            examples.append(Example(row["text"].strip(), row["label"]))
        except (ValueError, KeyError, TypeError):
            raise UsageError(f"{path}, line {number}: expected JSON with text and label.") from None
    return examples
