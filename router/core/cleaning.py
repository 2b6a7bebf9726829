"""Any characters to plain, normalised text; nothing is added but spaces."""

from __future__ import annotations

import re
from unicodedata import normalize

_LINE_END = re.compile("[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufff9-\uffff]")
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_RUNAWAY = re.compile(r"(.)\1{9,}")
_RUNS_AWAY = re.compile(r"(.)" + r"\1" * 9)
_MARKS = (
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u1ab0-\u1aff"
    "\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
)
_PILE = re.compile(f"({_MARKS}{{4}}){_MARKS}+")


def is_plain(text: str) -> bool:
    """Whether ``text`` is ASCII on one line: most texts, of which nothing is to be cut."""
    return text.isascii() and text.isprintable()


def unify_lines(text: str) -> str:
    """Every kind of line end as ``\\n``."""
    return text if is_plain(text) else _LINE_END.sub("\n", text.replace("\r\n", "\n"))


def without_controls(text: str) -> str:
    """Control characters become spaces, invisible ones go (they split words from rules)."""
    if is_plain(text):
        return text
    return _INVISIBLE.sub("", _CONTROL.sub(" ", text))


def compact(text: str) -> str:
    """One line in NFC; a sign repeated without end, or marks piled on a letter, are bounded."""
    line = " ".join(text.split())
    if not line.isascii():
        line = normalize("NFC", _PILE.sub(r"\1", line))
    # Written out a run is found in half the time, and most lines have none.
    return _RUNAWAY.sub(lambda run: run[1] * 10, line) if _RUNS_AWAY.search(line) else line
