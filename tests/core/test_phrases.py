from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.core import phrases
from router.core.phrases import PhraseIndex, fold, parse_phrase, tokens_of


def found(text: str, *phrases: str, exceptions: tuple[str, ...] = ()) -> bool:
    index = PhraseIndex()
    index.add(0, map(parse_phrase, phrases), map(parse_phrase, exceptions))
    return index.find(text) == {0}


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("My CARD was Stolen!", "card was stolen"),
        ("card\n  was\tstolen", "card was stolen"),
        ("On m'a volé ma carte", "vole ma carte"),
        ("on m’a VOLE MA CARTE", "volé ma carte"),
        ("ZMARŁA moja mama", "zmarla"),
        ("Große Sorge", "grosse sorge"),
        ("I can’t pay", "can't pay"),
        ("suicidal thoughts", "suicid*"),
        ("suicid", "suicid*"),
        ("unauthorised transactions", "unauthoris* transaction*"),
        ("e-mail", "e mail"),
        ("card, stolen", "card stolen"),
    ],
)
def test_a_phrase_is_found_whatever_its_case_accents_and_spaces(text: str, phrase: str) -> None:
    assert found(text, phrase)


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("scarder", "card"),
        ("cards", "card"),
        ("discard", "card"),
        ("card was not stolen", "card was stolen"),
        ("We said no. Money came", "no money"),
        ("is it? Stolen card", "it stolen"),
        ("my suit", "suicid*"),
        ("", "card"),
        ("card was", "card was stolen"),
    ],
)
def test_a_phrase_is_whole_words_within_one_sentence(text: str, phrase: str) -> None:
    assert not found(text, phrase)


def test_a_match_within_an_exception_does_not_count() -> None:
    assert not found("No complaints from me", "complain*", exceptions=("no complain*",))


def test_a_match_outside_an_exception_counts_beside_it() -> None:
    text = "No complaints so far, but now I complain"
    assert found(text, "complain*", exceptions=("no complain*",))


def test_a_match_that_reaches_beyond_an_exception_counts() -> None:
    assert found("I want to die today", "want to die today", exceptions=("I want to die",))


def test_a_longer_exception_begun_earlier_covers_a_later_match() -> None:
    text = "no more of these complaints"
    assert not found(text, "these complaints", exceptions=("no more of these complaints",))


@pytest.mark.parametrize("phrase", ["", "...", "*", "a*", "ab*", "ca*rd", "*card", "card **"])
def test_what_is_no_phrase_is_refused(phrase: str) -> None:
    with pytest.raises(ValueError, match=r"phrase|letters"):
        parse_phrase(phrase)


def test_a_phrase_of_too_many_words_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 12"):
        parse_phrase("word " * 13)


@settings(deadline=None)
@given(st.text(st.characters(max_codepoint=127)))
def test_splitting_ascii_gives_what_reading_it_sign_by_sign_does(text: str) -> None:
    """An ideographic full stop sends the same text the other way."""
    assert [*tokens_of(text), "。"] == tokens_of(f"{text}。")


@settings(deadline=None)
@given(st.text())
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["aaa", "bbb", "ccc", "aaab", ".", "bbbc"]), max_size=12), st.data()
)
def test_the_index_finds_what_a_plain_search_finds(tokens: list[str], data: st.DataObject) -> None:
    word = st.sampled_from(["aaa", "bbb", "ccc", "aaa*", "bbb*"])
    phrases = data.draw(st.lists(st.lists(word, min_size=1, max_size=3), max_size=6))
    index = PhraseIndex()
    for number, phrase in enumerate(phrases):
        index.add(number, [tuple(phrase)])
    expected = {n for n, phrase in enumerate(phrases) if _plainly(tokens, phrase)}
    assert index.find(" ".join(tokens)) == expected


def _plainly(tokens: list[str], phrase: list[str]) -> bool:
    return any(
        all(
            token.startswith(word[:-1]) if word.endswith("*") else token == word
            for token, word in zip(tokens[start : start + len(phrase)], phrase, strict=True)
        )
        for start in range(len(tokens) - len(phrase) + 1)
    )


def test_a_long_hostile_text_takes_no_longer_than_its_length_asks() -> None:
    index = PhraseIndex()
    for number in range(2_000):
        index.add(number, [parse_phrase(f"my my my my my my my my my my card{number}")])
    start = time.process_time()
    assert index.find("my " * 50_000) == set()
    assert time.process_time() - start < 5


def test_what_is_remembered_of_words_is_bounded_and_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(phrases, "_REMEMBERED", 3)
    index = PhraseIndex()
    index.add(1, [("lost", "card")])
    for _ in range(3):
        assert index.find("one two three lost card four five") == {1}
        assert len(index._starts) <= 3


def test_a_phrase_that_is_added_later_is_found_too() -> None:
    index = PhraseIndex()
    index.add(1, [("lost",)])
    assert index.find("lost card") == {1}
    index.add(2, [("card",)])
    assert index.find("lost card") == {1, 2}
