"""How likely each language is for each of many texts: py3langid's naive Bayes, a batch at a time.

The same as the library's `LanguageIdentifier.rank` but for rounding. A text's shares are the same
to the last bit whatever texts are asked about beside it: each is a sum of its own rows in the
order of their features, which no library may reorder for a batch of another size.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from router.model.letter_runs import LetterRuns, Numbers, in_step

Shares = NDArray[np.float32]


class NaiveBayes:
    """Thread-safe once made; takes nothing of ``identifier``'s that it could change."""

    def __init__(self, identifier: LanguageIdentifier) -> None:
        self._runs = LetterRuns(identifier.tk_nextmove, identifier.tk_row, identifier.tk_output)
        self._table = np.ascontiguousarray(identifier.nb_ptc, dtype=np.float32)
        self._prior = identifier.nb_pc
        columns = list(identifier.nb_classes)
        self.languages = tuple(dict.fromkeys(columns))
        """What the columns of `shares` stand for."""
        self._first = [columns.index(language) for language in self.languages]
        self._more = [
            (self.languages.index(language), column)
            for column, language in enumerate(columns)
            if columns.index(language) != column
        ]

    def shares(self, texts: Sequence[str]) -> Shares:
        """A row for each text: of what is likely, each language's share."""
        encoded = [_encoded(text) for text in texts]
        scores = self._scores(encoded)
        # The library's temperature: a softmax that stays calibrated across lengths.
        sizes = np.fromiter((len(text) or 1 for text in encoded), np.float64, len(encoded))
        scores *= (1.0 / np.sqrt(sizes)).astype(np.float32)[:, None]
        scores -= scores.max(axis=1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=1, keepdims=True)
        shares = scores[:, self._first]
        for language, column in self._more:  # a language in a second script
            shares[:, language] += scores[:, column]
        return shares

    def _scores(self, texts: Sequence[bytes]) -> Shares:
        text, feature, weight = _weighed(*self._runs.visits(texts), len(self._table))
        sizes = np.bincount(text, minlength=len(texts))
        order, alive, left = in_step(sizes)
        ends = sizes.cumsum()
        at = (ends - sizes).take(order)
        scores = np.zeros((len(texts), self._table.shape[1]), np.float32)
        for count in alive:
            scores[:count] += self._rows(feature.take(at[:count]), weight.take(at[:count]))
            at += 1
        for place, one in enumerate(order[:left].tolist()):
            rest = slice(at[place], ends[one])
            rows = self._rows(feature[rest], weight[rest])
            if alive:
                rows = np.concatenate((scores[place : place + 1], rows))
            np.add.reduce(rows, axis=0, out=scores[place])
        scores += self._prior
        scores[sizes.take(order) == 0] = 0.0  # nothing is known: all are as likely
        return scores[order.argsort()]

    def _rows(self, features: Numbers, weights: Shares) -> Shares:
        rows = self._table.take(features, axis=0)
        rows *= weights[:, None]
        return rows


def _weighed(text: Numbers, feature: Numbers, span: int) -> tuple[Numbers, Numbers, Shares]:
    """Each text's features once, in their order, with the logarithm of how often it has them."""
    keys = text * span + feature
    keys.sort()
    new = np.ones(len(keys) + 1, bool)
    np.not_equal(keys[1:], keys[:-1], out=new[1:-1])
    edges = np.flatnonzero(new)
    counts = (edges[1:] - edges[:-1]).astype(np.float32)
    text, feature = np.divmod(keys.take(edges[:-1]), span)
    return text, feature, np.log1p(counts)


def _encoded(text: str) -> bytes:
    """As the library was trained: capitals throughout say nothing of a language."""
    lowered = text.lower() if text.isupper() else text
    return unicodedata.normalize("NFC", lowered).encode("utf-8", "surrogatepass")


def load_naive_bayes(languages: Sequence[str]) -> NaiveBayes:
    """Reads the library's model (about a second and 100 MB, once), cut to ``languages``."""
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(languages))
    return NaiveBayes(identifier)
