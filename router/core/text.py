"""What the customer newly wrote, and in which language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

UNKNOWN_LANGUAGE = "und"

CutKind = Literal["quote", "signature", "disclaimer", "markup", "control", "length"]


@dataclass(frozen=True, slots=True)
class Cut:
    """A part of the message that was not the customer's new words, by size in characters."""

    kind: CutKind
    characters: int


@dataclass(frozen=True, slots=True)
class CustomerText:
    """Cleaned text, possibly empty; ``language`` is ISO 639-1 or ``und``."""

    text: str
    language: str
    cuts: tuple[Cut, ...]


class LanguageStep(Protocol):
    """Names the language of a text; replaceable. Never raises."""

    def language_of(self, text: str, locale: str | None) -> str:
        """ISO 639-1 of ``text``, or ``und`` where not known. ``locale`` is the sender's BCP 47
        tag, a hint and no more."""
        ...
