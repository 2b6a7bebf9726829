"""The project's own messages, in `models/texts`: eight languages, safety flags, our intents."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from router.errors import UsageError

LANGUAGES = ("de", "en", "es", "fr", "it", "nl", "pl", "pt")
FLAGS = ("vulnerable", "fraud", "complaint", "data-protection")
"""In the order of the flags' logits."""

FRAUD_INTENTS = frozenset({
    "lost_or_stolen_card", "lost_or_stolen_phone", "compromised_card",
    "card_payment_not_recognised", "direct_debit_payment_not_recognised",
    "cash_withdrawal_not_recognised",
})  # fmt: skip
"""BANKING77's intents whose texts carry the flag `fraud` by its definition (`labels.md`)."""

_CALIBRATION = 0.15


@dataclass(frozen=True, slots=True)
class Message:
    """``label`` is an intent or `OUT_OF_SCOPE`; ``flags`` are among `FLAGS`."""

    text: str
    label: str
    language: str
    flags: frozenset[str]


def read_own(folder: Path, part: str) -> list[Message]:
    """All languages' messages of ``part`` (``train`` or ``heldout``) under ``folder``.

    Raises:
        UsageError: a language's file is missing or a line of it is malformed.
    """
    return [one for language in LANGUAGES for one in _read(folder / part / f"{language}.jsonl")]


def calibrates(message: Message) -> bool:
    """Whether ``message``, of the part ``train``, is kept for calibration: by its text's hash."""
    rank = int(hashlib.sha256(f"router-own-1:{message.text}".encode()).hexdigest()[:8], 16)
    return rank < _CALIBRATION * 2**32


def write_messages(path: Path, messages: Iterable[Message]) -> None:
    """As JSON lines, in the form that `read_own` and `router model evaluate` read."""
    lines = [
        json.dumps(
            {"text": m.text, "label": m.label, "language": m.language, "flags": sorted(m.flags)},
            ensure_ascii=False,
        )
        for m in messages
    ]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _read(path: Path) -> list[Message]:
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
            flags = frozenset(row["flags"])
            messages.append(Message(row["text"], row["label"], row["language"], flags))
        except (ValueError, KeyError, TypeError):
            raise UsageError(
                f"{path}, line {number}: expected text, label, language and flags."
            ) from None
        if unknown := flags - set(FLAGS):
            raise UsageError(f"{path}, line {number}: {min(unknown)} is no flag.")
    return messages
