"""The language step: py3langid's naive Bayes over character runs, told to doubt itself.

The model lies in the library's wheel; nothing is fetched. It answers only among the languages
that a European bank meets, leans a little to those it writes and to the sender's locale, and says
``und`` when no language stands out: then the intent model is asked anyway. But where it is all but
sure that a few words are in none of the bank's own, it names the likeliest of the others: what may
be Czech, Slovak or Slovene is nothing that the bank reads, whichever it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from router.core.text import UNKNOWN_LANGUAGE, LanguageStep

_WRITTEN = ("en", "es", "fr", "de", "it", "pt", "nl", "pl")
_OTHERS = (
    "af ar az be bg bn bs ca cs da el et eu fa fi gl gu he hi hr hu hy id is ja ka kk kn ko lb lt"
    " lv mk ml mr mt ms no nn pa ro ru sk sl sq sr sv sw ta te th tl tr uk ur vi zh zxx"
)
_TWO_LETTERS = {"nn": "no", "zxx": UNKNOWN_LANGUAGE}
"""What ISO 639-1 and our readers call them: Nynorsk is Norwegian, ``zxx`` no language at all."""

_WRITTEN_WEIGHT = 2.0
_LOCALE_WEIGHT = 3.0
_LEADERS = 8
_LEAST_SHARE = 0.4
_LEAST_LEAD = 1.5
_LEAST_OF_OURS = 0.1
"""Of what all have: the share of the bank's own languages with which it may be one of them."""
_LEAST_LETTERS = 4
_READ_LETTERS = 40
_READ = 600
"""Characters that are looked at; more change nothing and cost time."""

_NO_WORD = re.compile(r"[\d@]|://|www\.")
"""Addresses, links, amounts and numbers are in no language."""

_WORD = re.compile(r"[^\W\d_]+")


class NaiveBayesLanguage(LanguageStep):
    """Thread-safe once made; about 75 microseconds for a short text."""

    def __init__(self, identifier: LanguageIdentifier) -> None:
        self._rank = identifier.rank

    def language_of(self, text: str, locale: str | None) -> str:
        words = text[:_READ]
        if _NO_WORD.search(words):
            words = " ".join(word for word in words.split() if not _NO_WORD.search(word))
        letters = sum(map(str.isalpha, words[:_READ_LETTERS]))
        if letters < (_LEAST_LETTERS if words.isascii() else 1):
            return UNKNOWN_LANGUAGE
        return _best(self._rank(words), _language_of_locale(locale), words)


def _best(ranking: Sequence[tuple[str, float]], hint: str, words: str) -> str:
    """Weighs the leaders; those behind them share what is left, too little each to lead. One word
    alone says too little to be none of ours: "card", "IBAN"; and so do
    a few of a sender whose locale is ours."""
    leaders = ranking[:_LEADERS]
    weighed = [(share * _weight(language, hint), language) for language, share in leaders]
    rest = 1.0 - sum(share for _, share in leaders)
    total = rest + sum(share for share, _ in weighed)
    (second, _), (first, best) = sorted(weighed)[-2:]
    if first < _LEAST_SHARE * total or first < _LEAST_LEAD * second:
        ours = sum(share for share, language in weighed if language in _WRITTEN)
        several = len(set(_WORD.findall(words.casefold()))) > 1
        if not several or hint in _WRITTEN or ours >= _LEAST_OF_OURS * total:
            return UNKNOWN_LANGUAGE
        _, best = max((share, language) for share, language in weighed if language not in _WRITTEN)
    return _TWO_LETTERS.get(best, best)


def _weight(language: str, hint: str) -> float:
    weight = _WRITTEN_WEIGHT if language in _WRITTEN else 1.0
    return weight * _LOCALE_WEIGHT if language == hint else weight


def _language_of_locale(locale: str | None) -> str:
    return (locale or "").partition("-")[0].lower()


def load_language_step() -> LanguageStep:
    """Reads the library's model (about a second and 100 MB, once)."""
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages([*_WRITTEN, *_OTHERS.split()])
    # The cut-down table is strided: rows gathered from a contiguous one take a quarter less time.
    identifier.nb_ptc = np.ascontiguousarray(identifier.nb_ptc)
    return NaiveBayesLanguage(identifier)
