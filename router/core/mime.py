"""A whole RFC 5322 message in base64 to subject, bodies and headers.

The standard library's parser takes time in the lines times the nesting, which a hostile mail of a
megabyte makes minutes of; this one splits at the boundaries, a bounded number of levels deep.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from router.core.charset import decode_text
from router.core.event import Rejected
from router.core.mail_headers import ContentType, content_type, read_headers
from router.core.markup import text_of_html

_MAX_DEPTH = 8
_MAX_PARTS = 100
_MAX_HEADER_BLOCK = 64_000
_BLANK_LINE = re.compile(rb"\r?\n[ \t]*\r?\n")
_WHITESPACE = str.maketrans("", "", " \t\r\n")
FORWARDED = "---------- Forwarded message ----------"


@dataclass(frozen=True, slots=True)
class Mail:
    """``body_html`` is empty where ``body_text`` already holds what both say."""

    subject: str
    body_text: str
    body_html: str
    headers: Mapping[str, str]


@dataclass(slots=True)
class _Leaf:
    """A place in the mail that holds text: its plain form, its HTML form, or both."""

    plain: str = ""
    html: str = ""


@dataclass(slots=True)
class _Budget:
    parts: int = field(default=_MAX_PARTS)

    def spend(self) -> bool:
        self.parts -= 1
        return self.parts >= 0


def read_mime(encoded: str) -> Mail | Rejected:
    """The mail in ``encoded``; attachments and what nests too deep are passed over."""
    try:
        data = binascii.a2b_base64(encoded.translate(_WHITESPACE), strict_mode=True)
    except ValueError:
        return Rejected("bad_mime", "raw", "Expected base64 (RFC 4648 section 4, padded).")
    head, body = _split(data)
    headers = read_headers(head)
    if not headers:
        return Rejected("bad_mime", "raw", "The message starts without a header (RFC 5322).")
    leaves = list(_leaves(headers, body, 0, _Budget()))
    if any(leaf.plain.strip() for leaf in leaves):
        text, html = "\n\n".join(leaf.plain or text_of_html(leaf.html) for leaf in leaves), ""
    else:
        text, html = "", "\n".join(leaf.html for leaf in leaves)
    return Mail(headers.get("subject", ""), text, html, headers)


def _split(data: bytes) -> tuple[bytes, bytes]:
    """Header block and body. A block too long is cut: no honest mail has one."""
    if data[:2] == b"\r\n" or data[:1] == b"\n":
        return b"", data
    blank = _BLANK_LINE.search(data)
    head, body = (data[: blank.start()], data[blank.end() :]) if blank else (data, b"")
    return head[:_MAX_HEADER_BLOCK], body


def _leaves(headers: dict[str, str], body: bytes, depth: int, budget: _Budget) -> Iterator[_Leaf]:
    kind = content_type(headers)
    if depth > _MAX_DEPTH or not budget.spend() or (depth and kind.attached):
        return
    if kind.kind.startswith("multipart/") and kind.boundary:
        yield from _multipart(kind, body, depth, budget)
    elif kind.kind == "message/rfc822":
        yield from _forwarded(_transfer_decoded(headers, body), depth, budget)
    elif kind.kind == "text/html":
        yield _Leaf(html=_text(headers, kind, body))
    elif kind.kind == "text/plain" or kind.kind.startswith("multipart/"):
        yield _Leaf(plain=_text(headers, kind, body))


def _multipart(kind: ContentType, body: bytes, depth: int, budget: _Budget) -> Iterator[_Leaf]:
    parts = [_split(part) for part in _between(body, kind.boundary, budget.parts)]
    found = [
        leaf
        for head, content in parts
        for leaf in _leaves(read_headers(head), content, depth + 1, budget)
    ]
    if kind.kind != "multipart/alternative":
        yield from found
        return
    plain = "\n\n".join(leaf.plain for leaf in found if leaf.plain)
    html = "\n".join(leaf.html for leaf in found if leaf.html)
    yield _Leaf(plain if plain.strip() else "", html)


def _between(body: bytes, boundary: str, most: int) -> list[bytes]:
    """The parts between ``boundary``'s lines; the preamble and the epilogue are none."""
    line = re.compile(
        rb"(?:^|\r?\n)--"
        + re.escape(boundary.encode("utf-8", "replace"))
        + rb"(--)?[ \t]*(?=\r?\n|\Z)"
    )
    parts: list[bytes] = []
    start: int | None = None
    for match in line.finditer(body):
        if start is not None:
            parts.append(_without_line_end(body[start : match.start()]))
        start = None if match[1] else match.end()
        if start is None or len(parts) >= most:
            return parts
    if start is not None:
        parts.append(_without_line_end(body[start:]))
    return parts


def _without_line_end(part: bytes) -> bytes:
    """``part`` without the line end that closed the boundary; one empty header line stays."""
    return part[2:] if part[:2] == b"\r\n" else part[1:]


def _forwarded(data: bytes, depth: int, budget: _Budget) -> Iterator[_Leaf]:
    """A mail attached whole reads like one forwarded inline, so that it is told from new words."""
    head, body = _split(data)
    headers = read_headers(head)
    leaves = _leaves(headers, body, depth + 1, budget)
    texts = [leaf.plain or text_of_html(leaf.html) for leaf in leaves]
    yield _Leaf(plain="\n".join([FORWARDED, f"Subject: {headers.get('subject', '')}", "", *texts]))


def _text(headers: dict[str, str], kind: ContentType, body: bytes) -> str:
    text = decode_text(_transfer_decoded(headers, body), kind.charset).replace("\r\n", "\n")
    return _unflowed(text, kind.delsp) if kind.flowed and kind.kind == "text/plain" else text


def _transfer_decoded(headers: dict[str, str], body: bytes) -> bytes:
    encoding = headers.get("content-transfer-encoding", "").strip().lower()
    if encoding == "quoted-printable":
        return binascii.a2b_qp(body)
    if encoding == "base64":
        symbols = re.sub(rb"[^A-Za-z0-9+/]", b"", body)
        symbols = symbols[: len(symbols) - (len(symbols) % 4 == 1)]
        return binascii.a2b_base64(symbols + b"=" * (-len(symbols) % 4))
    return body


def _unflowed(text: str, delsp: bool) -> str:
    """RFC 3676: a line that ends in a space goes on in the next of the same quote depth."""
    lines: list[str] = []
    pieces: list[str] = []
    depth = 0
    for line in text.split("\n"):
        words = line.lstrip(">")
        marks = len(line) - len(words)
        words = words.removeprefix(" ")
        goes_on = pieces and pieces[-1].endswith(" ") and pieces[-1] != "-- "
        if goes_on and marks == depth:
            pieces[-1] = pieces[-1][:-1] if delsp else pieces[-1]
            pieces.append(words)
            continue
        lines.append("".join(pieces))
        quote = ">" * marks + " " if marks else ""
        pieces, depth = [quote, words] if quote else [words], marks
    return "\n".join([*lines[1:], "".join(pieces)])
