"""The language step: py3langid's naive Bayes over character runs, told to doubt itself.

The model lies in the library's wheel; nothing is fetched. It answers only among the languages
that a European bank meets, leans a little to those it writes and to the sender's locale, and says
``und`` when no language stands out: then the intent model is asked anyway. But where it is all but
sure that a few words are in none of the bank's own, it names the likeliest of the others: what may
be Czech, Slovak or Slovene is nothing that the bank reads, whichever it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from router.core.text import UNKNOWN_LANGUAGE, LanguageStep
from router.model.letter_runs import FEW
from router.model.naive_bayes import NaiveBayes, Shares, load_naive_bayes

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

_NUMBER_OR_ADDRESS = re.compile(r"[\d@]")
_ENOUGH_LETTERS = re.compile(f"(?:[^A-Za-z]*[A-Za-z]){{{_LEAST_LETTERS}}}")
_WORD = re.compile(r"[^\W\d_]+")


class NaiveBayesLanguage(LanguageStep):
    """Thread-safe once made. Among hundreds a short text costs about 12 microseconds, alone 130."""

    def __init__(self, bayes: NaiveBayes) -> None:
        self._bayes = bayes
        self._column = {language: column for column, language in enumerate(bayes.languages)}
        ours = [self._column[language] for language in _WRITTEN]
        self._weights = np.ones(len(bayes.languages))
        self._weights[ours] = _WRITTEN_WEIGHT
        names = sorted(bayes.languages)
        self._rank = np.array([names.index(language) for language in bayes.languages])

    def languages_of(self, texts: Sequence[str], locales: Sequence[str | None]) -> list[str]:
        """What `_words` leaves nothing of is not asked about."""
        languages = [UNKNOWN_LANGUAGE] * len(texts)
        asked = [(place, words) for place, text in enumerate(texts) if (words := _words(text))]
        if not asked:
            return languages
        kept = [words for _, words in asked]
        hints = [_language_of_locale(locales[place]) for place, _ in asked]
        for (place, _), language in zip(asked, self._best(kept, hints), strict=True):
            languages[place] = _TWO_LETTERS.get(language, language)
        return languages

    def _best(self, words: Sequence[str], hints: Sequence[str]) -> Iterator[str]:
        """Weighs the leaders; those behind them share what is left, too little each to lead."""
        columns, shares = _leaders(self._bayes.shares(words))
        hinted = np.array([self._column.get(hint, -1) for hint in hints])
        weighed = shares * self._weights.take(columns)
        weighed *= np.where(columns == hinted[:, None], _LOCALE_WEIGHT, 1.0)
        total = (1.0 - _sum(shares)) + _sum(weighed)
        # The greatest comes last; of equals, the last by name.
        order = np.lexsort((self._rank.take(columns), weighed))
        rows = np.arange(len(words))[:, None]
        columns, weighed = columns[rows, order], weighed[rows, order]
        first, second = weighed[:, -1], weighed[:, -2]
        clear = (first >= _LEAST_SHARE * total) & (first >= _LEAST_LEAD * second)
        for row, (is_clear, best) in enumerate(
            zip(clear.tolist(), columns[:, -1].tolist(), strict=True)
        ):
            if is_clear:
                yield self._bayes.languages[best]
            else:
                ranking = zip(columns[row].tolist(), weighed[row].tolist(), strict=True)
                leaders = [(share, self._bayes.languages[column]) for column, share in ranking]
                yield _none_of_ours(leaders, float(total[row]), words[row], hints[row])


def _words(text: str) -> str:
    """What of ``text`` is looked at; nothing where it has too few letters to tell."""
    words = text[:_READ]
    if _NUMBER_OR_ADDRESS.search(words) or "://" in words or "www." in words:
        words = " ".join(word for word in words.split() if not _NO_WORD.search(word))
    if words.isascii():
        return words if _ENOUGH_LETTERS.match(words, 0, _READ_LETTERS) else ""
    return words if any(map(str.isalpha, words[:_READ_LETTERS])) else ""


def _leaders(shares: Shares) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The columns with the greatest shares, the first of equals first, and those shares."""
    rows = np.arange(len(shares))
    if len(shares) < FEW:
        columns = np.argsort(-shares, axis=1, kind="stable")[:, :_LEADERS]
    else:  # the same, in less time for many rows
        left = shares.copy()
        columns = np.empty((len(shares), _LEADERS), np.intp)
        for place in range(_LEADERS):
            columns[:, place] = left.argmax(axis=1)
            left[rows, columns[:, place]] = -1.0
    return columns, shares[rows[:, None], columns].astype(np.float64)


def _sum(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each row's sum, added from the left whatever number of rows there is."""
    return rows.cumsum(axis=1)[:, -1]


def _none_of_ours(leaders: Sequence[tuple[float, str]], total: float, words: str, hint: str) -> str:
    """The likeliest of the others, where a few words are all but surely in none of the bank's own.

    One word alone says too little to be none of ours: "card", "IBAN"; and so do a few of a sender
    whose locale is ours.
    """
    ours = sum(share for share, language in leaders if language in _WRITTEN)
    several = len(set(_WORD.findall(words.casefold()))) > 1
    if not several or hint in _WRITTEN or ours >= _LEAST_OF_OURS * total:
        return UNKNOWN_LANGUAGE
    return max(one for one in leaders if one[1] not in _WRITTEN)[1]


def _language_of_locale(locale: str | None) -> str:
    return (locale or "").partition("-")[0].lower()


def load_language_step() -> LanguageStep:
    """Reads the library's model (about a second and 100 MB, once)."""
    return NaiveBayesLanguage(load_naive_bayes([*_WRITTEN, *_OTHERS.split()]))
