"""What the customer newly wrote, and in which language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from router.core.values import value

UNKNOWN_LANGUAGE = "und"

CutKind = Literal["quote", "signature", "disclaimer", "markup", "control", "length"]


@value(frozen=True, slots=True)
class Cut:
    """A part of the message that was not the customer's new words, by size in characters."""

    kind: CutKind
    characters: int


@value(frozen=True, slots=True)
class CustomerText:
    """Cleaned text, possibly empty; ``language`` is ISO 639-1 or ``und``."""

    text: str
    language: str
    cuts: tuple[Cut, ...]


class LanguageStep(Protocol):
    """Names the language of each text; replaceable. Never raises, and what it says of a text does
    not depend on the others."""

    def languages_of(self, texts: Sequence[str], locales: Sequence[str | None]) -> list[str]:
        """For each of ``texts`` ISO 639-1, or ``und`` where not known. ``locales`` are the
        senders' BCP 47 tags, a hint and no more."""
        ...
