"""HTML of a mail to text, quotes marked by ``>`` as in plain mail.

Own and small: a tree builder takes quadratic time on a megabyte of nested elements; this reads
once, forwards, with a bounded stack.
"""

from __future__ import annotations

import re
from collections import Counter
from html import unescape

from router.core.markup_tags import BLOCK, CELLS, CLOSES_ITSELF, HEAD, RAW, VOID, Role, role_of

QUOTE_MARK = "> "
SEPARATOR = "_" * 32
SIGNATURE_MARK = "-- "

_MAX_OPEN = 400
_OPENED = re.compile(r"<[a-zA-Z/!?]")
_NAME = re.compile(r"/?[a-zA-Z][^\s/>]*+")
_QUOTE = re.compile("[\"']")
_TAG_STOP = re.compile(r"[>\"']")
_SPACE = re.compile(r"[ \t\n\r\f\xa0]+")
_ENDLESS_REFERENCE = re.compile(r"&#[xX]?[0-9a-fA-F]{9,};?")


def text_of_html(html: str) -> str:
    """What a reader sees: blocks on lines of their own, hidden parts left out."""
    reader = _Reader()
    for is_tag, piece in _pieces(html):
        if is_tag:
            reader.tag(piece)
        else:
            reader.words(piece)
    return reader.text()


def _pieces(html: str) -> list[tuple[bool, str]]:
    """Tags, without their angles, and the words between them, in order; each character is looked
    at a bounded number of times."""
    pieces: list[tuple[bool, str]] = []
    at, unclosed = 0, set[str]()
    while opened := _OPENED.search(html, at):
        start = opened.start()
        pieces.append((False, html[at:start]))
        name = _NAME.match(html, start + 1)
        if html.startswith("<!--", start):
            end = html.find("-->", start + 2)
            end = end + 2 if end >= 0 else -1
        elif name:
            end = _tag_end(html, name.end(), unclosed)
        else:
            end = html.find(">", start)
        if end < 0:
            return pieces
        at = end + 1
        if name:
            pieces.append((True, html[start + 1 : end]))
            if (raw := name.group().lower()) in RAW:
                at = _raw_end(html, raw, at)
    pieces.append((False, html[at:]))
    return pieces


def _tag_end(html: str, at: int, unclosed: set[str]) -> int:
    """Where the ``>`` of a tag stands, quoted attribute values passed over; -1 for nowhere.

    ``unclosed`` remembers the quotes that have no partner further on.
    """
    first = html.find(">", at)
    if first < 0 or not _QUOTE.search(html, at, first):
        return first
    while stop := _TAG_STOP.search(html, at):
        at = stop.end()
        quote = stop.group()
        if quote == ">":
            return stop.start()
        if quote in unclosed or not html[
            max(0, stop.start() - 20) : stop.start()
        ].rstrip().endswith("="):
            continue
        close = html.find(quote, at)
        if close < 0:
            unclosed.add(quote)
        else:
            at = close + 1
    return -1


def _raw_end(html: str, name: str, at: int) -> int:
    end = re.compile(rf"</{name}[\s/>]", re.IGNORECASE).search(html, at)
    return end.start() if end else len(html)


class _Reader:
    """Lines so far, the line under way, and the open elements that change how text is read."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line: list[str] = []
        self._open: list[tuple[str, Role | None]] = []
        self._counts: Counter[str] = Counter()
        self._roles: Counter[Role | None] = Counter()

    def words(self, words: str) -> None:
        if self._roles["hidden"] or not words:
            return
        if "&" in words:
            words = unescape(_ENDLESS_REFERENCE.sub("\ufffd", words))
        if self._counts["pre"]:
            *whole, words = words.split("\n")
            for line in whole:
                self._line.append(line)
                self._break()
        self._line.append(words)

    def tag(self, tag: str) -> None:
        name = _name_of(tag)
        if name.startswith("/"):
            self._end(name[1:])
        else:
            self._start(name, tag)

    def text(self) -> str:
        self._break()
        return "\n".join(self._lines).strip("\n")

    def _start(self, name: str, tag: str) -> None:
        if self._open and self._open[-1][0] == "head" and name not in HEAD:
            self._pop()
        if name in CLOSES_ITSELF and self._open and self._open[-1][0] == name:
            self._pop()
        if name in CELLS:
            self._line.append(" ")
        elif name in BLOCK or name == "br":
            self._break(blank=name == "p")
        if name in VOID or tag.endswith("/") or len(self._open) >= _MAX_OPEN:
            return
        role = role_of(name, tag[len(name) :])
        if role in ("separator", "signature") and not self._roles["hidden"]:
            self._break()
            self._line.append(SEPARATOR if role == "separator" else SIGNATURE_MARK)
            self._break()
        elif role == "quote":
            self._break()
        self._open.append((name, role))
        self._counts[name] += 1
        self._roles[role] += 1

    def _end(self, name: str) -> None:
        if name in BLOCK and name not in CELLS:
            self._break(blank=name == "p")
        if not self._counts[name]:
            return
        if name not in BLOCK and not self._reaches(name):
            return
        while self._pop() != name:
            pass

    def _reaches(self, name: str) -> bool:
        """An inline end tag ends nothing outside the block that it stands in."""
        for open_name, _ in reversed(self._open[-20:]):
            if open_name == name:
                return True
            if open_name in BLOCK:
                return False
        return False

    def _pop(self) -> str:
        name, role = self._open[-1]
        if role == "quote":
            self._break()
        self._open.pop()
        self._counts[name] -= 1
        self._roles[role] -= 1
        return name

    def _break(self, blank: bool = False) -> None:
        line = _SPACE.sub(" ", "".join(self._line)).strip(" ")
        self._line.clear()
        if line:
            mark = QUOTE_MARK if self._roles["quote"] else ""
            self._lines.append(mark + (line if line != "--" else SIGNATURE_MARK))
        if blank and self._lines and self._lines[-1]:
            self._lines.append("")


def _name_of(tag: str) -> str:
    match = _NAME.match(tag)
    return match.group().lower() if match else ""
