"""The project's own messages, in `models/texts`: eight languages, safety flags, our intents."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from router.errors import UsageError
from router.training.examples import Example

LANGUAGES = ("de", "en", "es", "fr", "it", "nl", "pl", "pt")
FLAGS = ("vulnerable", "fraud", "complaint", "data-protection")
"""In the order of the flags' logits."""

_CALIBRATION = 0.15


def read_own(folder: Path, part: str) -> list[Example]:
    """All languages' messages of ``part`` (``train`` or ``heldout``) under ``folder``.

    Raises:
        UsageError: a language's file is missing or a line of it is malformed.
    """
    return [one for language in LANGUAGES for one in _read(folder / part / f"{language}.jsonl")]


def calibrates(message: Example) -> bool:
    """Whether ``message``, of the part ``train``, is kept for calibration: by its text's hash."""
    rank = int(hashlib.sha256(f"router-own-1:{message.text}".encode()).hexdigest()[:8], 16)
    return rank < _CALIBRATION * 2**32


def _read(path: Path) -> list[Example]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}.",
            "Training needs a checkout: the messages are no part of the installed package.",
        ) from None
    messages = []
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
            flags = tuple(row["flags"])
            messages.append(Example(row["text"], row["label"], row["language"], flags))
        except (ValueError, KeyError, TypeError):
            raise UsageError(
                f"{path}, line {number}: expected text, label, language and flags."
            ) from None
        if unknown := set(flags) - set(FLAGS):
            raise UsageError(f"{path}, line {number}: {min(unknown)} is no flag.")
    return messages
