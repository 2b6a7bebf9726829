"""Many texts' languages at once: what the library says of each, whatever the others are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from router.model import letter_runs
from router.model.language import NaiveBayesLanguage
from router.model.naive_bayes import NaiveBayes

ROOT = Path(__file__).parents[2]

IDENTIFIER = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
LANGUAGES = "en es fr de it pt nl pl sr cs el ja ru bg hr sl sk ar zh ca ro sv da no nn zxx"
IDENTIFIER.set_languages(LANGUAGES.split())
BAYES = NaiveBayes(IDENTIFIER)
STEP = NaiveBayesLanguage(BAYES)

HELDOUT = [
    json.loads(line)["text"]
    for file in sorted((ROOT / "models" / "texts" / "heldout").glob("*.jsonl"))
    for line in file.read_text("utf-8").splitlines()[:60]
]
ODD = [
    *("", " ", "a", "a" * 600, "ß" * 600, "カード" * 200, "WHERE IS MY CARD", "ГДЕ МОЯ КАРТА"),
    *("😀😀", "123", "\ud800", "e\u0301", "\x00\x00", "где моја картица", "gde je moja kartica"),
]


def test_the_shares_are_the_librarys() -> None:
    assert len(HELDOUT) == 480
    texts = HELDOUT + ODD
    for text, row in zip(texts, BAYES.shares(texts), strict=True):
        ranking = IDENTIFIER.rank(text)
        shares = dict(zip(BAYES.languages, row.tolist(), strict=True))
        assert shares == pytest.approx(dict(ranking), abs=1e-4)
        assert max(shares, key=lambda language: shares[language]) == ranking[0][0]


def test_a_text_in_a_large_batch_gets_what_it_gets_alone() -> None:
    texts = HELDOUT[::8] + ODD
    alone = np.concatenate([BAYES.shares([text]) for text in texts])
    assert np.array_equal(BAYES.shares(texts), alone)


SIGNS = st.sampled_from("ab eéńßжđ語 \ud800😀")
TEXTS = st.text(max_size=30) | st.text(SIGNS, max_size=200) | st.sampled_from(HELDOUT + ODD)
LOCALES = st.sampled_from([None, "", "de-DE", "sr-Latn", "zxx", "xx", "EN"])
ASKED = st.lists(st.tuples(TEXTS, LOCALES), max_size=letter_runs.FEW * 3)


@settings(max_examples=60)
@given(ASKED, st.sampled_from([1, 4, letter_runs.FEW, 1000]))
@example([("", None)] * 3 + [("0000", None)], 4)
def test_no_text_depends_on_its_batch_mates(asked: list[tuple[str, str | None]], few: int) -> None:
    texts, locales = [text for text, _ in asked], [locale for _, locale in asked]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(letter_runs, "FEW", few)
        together, languages = BAYES.shares(texts), STEP.languages_of(texts, locales)
    for text, locale, row, language in zip(texts, locales, together, languages, strict=True):
        assert np.array_equal(row, BAYES.shares([text])[0])
        assert [language] == STEP.languages_of([text], [locale])


def test_of_nothing_there_are_no_languages() -> None:
    assert STEP.languages_of([], []) == []
    assert BAYES.shares([]).shape == (0, len(BAYES.languages))
