"""Whole emails as bytes: multiparts, encodings and headers, whole and broken."""

from __future__ import annotations

import base64
import quopri
import random

from tests.fuzz.words import anything, markup, text

_CHARSETS = ("utf-8", "iso-8859-1", "windows-1252", "us-ascii", "utf-16", "koi8-r", "utf-7", "none")
_ENCODINGS = ("7bit", "8bit", "base64", "quoted-printable", "x-uuencode", "")
_SUBJECTS = (
    "Re: my card",
    "=?utf-8?B?TWVpbmUgS2FydGU=?=",
    "=?utf-8?Q?caf=C3=A9?= =?utf-8?Q?_?=",
    "=?no-such?Q?x?=",
    "=?utf-8?B?!!!?=",
    "=?utf-8?Q?" + "=41" * 300 + "?=",
)
_EXTRA = (
    b"Auto-Submitted: auto-replied",
    b"Precedence: bulk",
    b"X-Long: " + b"a" * 2000,
    b"Received: from a by b;\r\n\tMon, 2 Mar 2026",
    b"no colon here",
    b"\xff\xfe: \x00",
    b"From: " + b"<" * 100,
    b'To: a@b.example, "c d" <e@f.example>',
    b'Content-Type: text/plain; charset="utf-8"; charset=x; boundary=',
)


def mail(dice: random.Random) -> bytes:
    """An RFC 5322 message, mostly one that a program would send."""
    head = [b"Subject: " + _subject(dice), b"From: Ana Test <ana@customer.test>"]
    if dice.random() < 0.2:
        head.append(dice.choice(_EXTRA))
    newline = b"\r\n" if dice.random() < 0.8 else b"\n"
    whole = newline.join(head) + newline + _part(dice, newline, dice.choice((0, 0, 0, 1, 2, 9)))
    return _broken(dice, whole) if dice.random() < 0.15 else whole


def _part(dice: random.Random, newline: bytes, depth: int) -> bytes:
    """Headers from the content type on, a blank line, and the body."""
    if depth == 0:
        return _leaf(dice, newline)
    boundary = dice.choice((b"b1", b"=_next", b"", b"--", b"b" * 70, b"a b"))
    kind = dice.choice((b"mixed", b"alternative", b"related", b"report", b"x"))
    if dice.random() < 0.1:
        head = b"Content-Type: message/rfc822"
        return head + newline * 2 + b"Subject: inner" + newline + _part(dice, newline, depth - 1)
    parts = [
        _part(dice, newline, depth - 1 if number == 0 else 0)
        for number in range(dice.randint(1, 3))
    ]
    between = newline + b"--" + boundary + newline
    end = newline + b"--" + boundary + b"--" if dice.random() < 0.9 else b""
    quoted = b'"' + boundary + b'"' if dice.random() < 0.5 else boundary
    head = b"Content-Type: multipart/" + kind + b"; boundary=" + quoted
    return head + newline * 2 + between + between.join(parts) + end


def _leaf(dice: random.Random, newline: bytes) -> bytes:
    words = text(dice)
    html = dice.random() < 0.3
    if html:
        words = markup(dice, words)
    charset, encoding = dice.choice(_CHARSETS), dice.choice(_ENCODINGS)
    try:
        body = words.encode(charset, "replace")
    except LookupError:
        body = words.encode()
    if encoding == "base64":
        body = base64.encodebytes(body)
    elif encoding == "quoted-printable":
        body = quopri.encodestring(body)
    kind = dice.choice((b"text/html" if html else b"text/plain", b"text/html", b"image/png"))
    head = b"Content-Type: " + kind + b"; charset=" + charset.encode()
    if encoding:
        head += newline + b"Content-Transfer-Encoding: " + encoding.encode()
    if dice.random() < 0.05:
        head += newline + b"Content-Disposition: attachment; filename*=utf-8''%E2%82"
    return head + newline * 2 + body


def _subject(dice: random.Random) -> bytes:
    if dice.random() < 0.9:
        return dice.choice(_SUBJECTS).encode()
    return anything(dice).encode(dice.choice(("utf-8", "utf-16")))


def _broken(dice: random.Random, whole: bytes) -> bytes:
    match dice.randrange(4):
        case 0:
            return whole[: dice.randrange(len(whole) + 1)]
        case 1:
            return whole.replace(b":", b"", 2)
        case 2:
            at = dice.randrange(len(whole) + 1)
            return whole[:at] + dice.randbytes(dice.randint(1, 40)) + whole[at:]
        case _:
            return dice.randbytes(dice.randint(0, 200))
