"""Cleaning adds nothing but spaces and always ends."""

from __future__ import annotations

import re
import time
from unicodedata import is_normalized, normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.core.cleaning import compact, unify_lines, without_controls


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("my  card\t\n is\xa0lost ", "my card is lost"),
        ("c\u200ba\u00adr\u2060d\ufeff", "card"),
        ("card\x00lost\x1b", "card lost"),
        ("cafe\u0301", "café"),
        ("a\r\nb\rc\x0bd\u2028e", "a b c d e"),
        ("he" + "\u0301" * 50 + "llo", "hé" + "\u0301" * 3 + "llo"),
        ("noooooooooooooooooo!", "n" + "o" * 10 + "!"),
        ("\u202eevil\u202c", "evil"),
        ("👩\u200d👧 ✈\ufe0f", "👩👧 ✈"),
        ("\ud800x", "x"),
    ],
)
def test_a_text_becomes_one_plain_line(raw: str, clean: str) -> None:
    assert compact(without_controls(unify_lines(raw))) == clean


@given(st.lists(st.sampled_from(["\r", "\n", "\r\n", "\x0b", "\u2028", "a", "é"])).map("".join))
def test_each_line_end_of_any_kind_becomes_one(raw: str) -> None:
    assert unify_lines(raw) == re.sub("\r\n|\r|\x0b|\u2028", "\n", raw)


@given(st.text(st.characters()))
def test_nothing_is_added_but_spaces(raw: str) -> None:
    clean = compact(without_controls(unify_lines(raw)))
    assert set(normalize("NFD", clean)) <= set(normalize("NFD", raw)) | {" "}
    assert is_normalized("NFC", clean)
    assert clean == clean.strip()
    clean.encode()


@pytest.mark.parametrize(
    "piece", ["\u0301\u0316", "a", "\U0001d165\U0001d16d", "\u0f71\u0f74", " \x00"]
)
def test_twenty_thousand_hostile_characters_take_bounded_time(piece: str) -> None:
    raw = piece * (20_000 // len(piece))
    start = time.process_time()
    compact(without_controls(raw))
    assert time.process_time() - start < 3
