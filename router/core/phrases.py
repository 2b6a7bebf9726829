"""Whole-word phrases found in a text in one pass, however many there are.

A policy gives phrases, never regular expressions: a pattern such as ``(a+)+b`` can take years on
thirty characters, and one customer's message must not be able to stop the line. Here all phrases
stand in one trie of words, so a pass costs the text's length times the longest chain of words
that both share, and the number of phrases hardly matters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

MAX_PHRASE_WORDS = 12
_REMEMBERED = 20_000
"""Words whose place in the trie is kept at hand; a few megabytes."""

MIN_STEM = 3
"""A stem of one or two letters would match half of any text."""

_MARKS = re.compile("[\u0300-\u036f]+")
_LETTERS = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"}
)
_WORD_OR_END = re.compile(r"[^\W_]+|[.!?。]")
_PHRASE_WORD = re.compile(r"[^\W_]+\*?")
_ENDS = {b".": b" . ", b"!": b" ! ", b"?": b" ? "}
_SPACED = bytes(
    byte if bytes([byte]).isalnum() or bytes([byte]) in _ENDS else ord(" ") for byte in range(256)
)
"""ASCII with a space for all that is neither in a word nor a sentence's end."""


def fold(text: str) -> str:
    """``text`` without case and without the accents of European letters."""
    if text.isascii():
        return text.lower()
    bare = _MARKS.sub("", unicodedata.normalize("NFKD", text))
    return bare.casefold().translate(_LETTERS)


def tokens_of(text: str) -> list[str]:
    """The words of a folded text and its sentences' ends. ASCII, most of what there is, needs no
    regular expression: splitting takes a fifth of the time."""
    if not text.isascii():
        return _WORD_OR_END.findall(text)
    spaced = text.encode().translate(_SPACED)
    for end, apart in _ENDS.items():
        spaced = spaced.replace(end, apart)
    return spaced.decode().split()


def parse_phrase(phrase: str) -> tuple[str, ...]:
    """The folded words of a phrase; a word may keep a final ``*``.

    Raises:
        ValueError: the phrase has no word or too many, or a ``*`` anywhere but after a stem; the
            message says which.
    """
    folded = fold(phrase)
    words = tuple(_PHRASE_WORD.findall(folded))
    if not words:
        raise ValueError("a phrase needs at least one word")
    if len(words) > MAX_PHRASE_WORDS:
        raise ValueError(f"a phrase has at most {MAX_PHRASE_WORDS} words")
    stems = [word for word in words if word.endswith("*")]
    if folded.count("*") != len(stems) or any(len(stem) <= MIN_STEM for stem in stems):
        raise ValueError(f"a * stands only at a word's end, after at least {MIN_STEM} letters")
    return words


@dataclass(slots=True)
class _Node:
    words: dict[str, _Node] = field(default_factory=dict)
    stems: dict[str, _Node] = field(default_factory=dict)
    stem_lengths: dict[str, tuple[int, ...]] = field(default_factory=dict)
    found: tuple[int, ...] = ()
    excepted: tuple[int, ...] = ()

    def child(self, word: str) -> _Node:
        if not word.endswith("*"):
            return self.words.setdefault(word, _Node())
        stem = word[:-1]
        start = stem[:MIN_STEM]
        lengths = {*self.stem_lengths.get(start, ()), len(stem)}
        self.stem_lengths[start] = tuple(sorted(lengths))
        return self.stems.setdefault(stem, _Node())

    def after(self, token: str) -> Sequence[_Node]:
        """The nodes one word further."""
        exact = self.words.get(token)
        lengths = self.stem_lengths.get(token[:MIN_STEM])
        if lengths is None:
            return _NOWHERE if exact is None else [exact]
        nodes = [exact, *(self.stems.get(token[:length]) for length in lengths)]
        return [node for node in nodes if node is not None]


_NOWHERE: tuple[_Node, ...] = ()


class _Start(NamedTuple):
    """What begins with a word: ``whole`` where that alone is a phrase, else which words and which
    stems' first letters go on from it."""

    nodes: Sequence[_Node]
    whole: bool
    words: frozenset[str]
    stems: frozenset[str]


_UNMET = _Start((), False, frozenset(), frozenset())


class PhraseIndex:
    """Phrases by number. A number is found where one of its phrases stands outside every
    exception of the same number: ``complaint*`` but not within ``no complaint*``."""

    def __init__(self) -> None:
        self._root = _Node()
        self._starts: dict[str, _Start | None] = {}
        """By word, as it was met; None for most, which begin nothing."""

    def add(
        self,
        number: int,
        phrases: Iterable[tuple[str, ...]],
        exceptions: Iterable[tuple[str, ...]] = (),
    ) -> None:
        self._starts = {}
        for phrase in phrases:
            node = self._node(phrase)
            node.found = (*node.found, number)
        for phrase in exceptions:
            node = self._node(phrase)
            node.excepted = (*node.excepted, number)

    def _node(self, phrase: tuple[str, ...]) -> _Node:
        node = self._root
        for word in phrase:
            node = node.child(word)
        return node

    def find(self, text: str) -> set[int]:
        """The numbers found in ``text``. A phrase may run over a line's end, not a sentence's."""
        tokens = tokens_of(fold(text))
        found: set[int] = set()
        reach: dict[int, int] = {}
        starts = self._starts
        for end, token in enumerate(tokens, 1):
            # Most words begin no phrase, and most that do are followed by another word than its
            # second: look-ups tell, before anything more is called.
            start = starts.get(token, _UNMET)
            if start is _UNMET:
                start = self._start(token)
            if start is not None:
                then = tokens[end] if end < len(tokens) else ""
                if start.whole or then in start.words or then[:MIN_STEM] in start.stems:
                    _walk(tokens, end, start.nodes, found, reach)
        return found

    def _start(self, token: str) -> _Start | None:
        """What begins with ``token``, and remembered: texts have the same words again and again."""
        nodes = self._root.after(token)
        start = None
        if nodes:
            start = _Start(
                nodes,
                any(node.found or node.excepted for node in nodes),
                frozenset(word for node in nodes for word in node.words),
                frozenset(letters for node in nodes for letters in node.stem_lengths),
            )
        if len(self._starts) >= _REMEMBERED:
            self._starts = {}  # most of them were written once; whoever reads the old one may
        self._starts[token] = start
        return start


def _walk(
    tokens: Sequence[str],
    end: int,
    nodes: Sequence[_Node],
    found: set[int],
    reach: dict[int, int],
) -> None:
    """Adds what starts one word before ``end``; ``reach`` keeps each number's furthest exception,
    and since starts only grow, a match that ends by then lies within that exception."""
    matches: list[tuple[int, int]] = []
    while nodes:
        for node in nodes:
            if node.found:
                matches += [(number, end) for number in node.found]
            for number in node.excepted:
                reach[number] = max(end, reach.get(number, 0))
        if end == len(tokens):
            break
        token, start = tokens[end], tokens[end][:MIN_STEM]
        nodes = [
            after
            for node in nodes
            if token in node.words or start in node.stem_lengths
            for after in node.after(token)
        ]
        end += 1
    for number, stop in matches:
        if stop > reach.get(number, 0):
            found.add(number)
