"""Texts: what customers write, and what no customer should."""

from __future__ import annotations

import random

from tests.events import TEXTS

ODD = (
    "\u202etxet sdrawkcab",
    "\u200b\u200d\ufeff",
    "Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334\u0319\u0324\u031e\u0349\u035a\u032f",
    "👩‍👩‍👧‍👦🏳️‍🌈" * 3,
    "\x00\x01\x1f\x7f\x85\u2028\u2029",
    "ﷺ" * 9,
    "İıßﬀǅ",
    "\U0010ffff\ufffe\uffff\ud7ff\ue000",
    "日本語のメッセージ、カードが届きません。",
    "بطاقتي لم تصل بعد",
    "a" * 3000,
    " \t\r\n" * 200,
    "\n".join(["> quoted"] * 60),
    "-- \nSent from my phone\nOn Monday, Ana wrote:\n> hello",
    "On 2026-03-02 at 10:00 <a@b.example> wrote:",
    "<script>alert(1)</script><p>hi",
    "%s %d {0} ${x} \\u0000 \\",
    "((((((((((" * 40,
    "http://" + "a." * 300,
    "I want to die laughing, kill myself, someone stole my card",
    "estafa fraude betrug vol escroquerie oszustwo furto",
    '{"text": "nested"}',
)
_JOINTS = (" ", "\n", "\n\n", ". ", "\r\n", " … ", "\t", "")
_PLANES = (
    (0x20, 0x7E),
    (0xA0, 0x24F),
    (0x300, 0x5FF),
    (0x2000, 0x2BFF),
    (0x3000, 0xD7FF),
    (0xE000, 0xFFFD),
    (0x1F300, 0x1FAFF),
)
_ALPHABETS = (
    *([chr(n) for n in range(first, last + 1)] for first, last in _PLANES),
    [chr(n) for n in range(0x10000, 0x110000, 97)],
)


def text(dice: random.Random) -> str:
    """Mostly one or two sentences; sometimes odd, long, or any characters at all."""
    roll = dice.random()
    if roll < 0.7:
        return dice.choice(TEXTS)
    if roll < 0.85:
        parts = [dice.choice(TEXTS) for _ in range(dice.randint(2, 6))]
        return dice.choice(_JOINTS).join(parts)
    if roll < 0.95:
        return dice.choice(_JOINTS).join((dice.choice(TEXTS), dice.choice(ODD)))
    return anything(dice)


def anything(dice: random.Random) -> str:
    """Any characters, of several scripts; never a lone surrogate."""
    size = dice.choice((1, 3, 30, 120))
    one, other = dice.choice(_ALPHABETS), dice.choice(_ALPHABETS)
    return "".join(dice.choices(one, k=size) + dice.choices(other, k=size // 3))


def markup(dice: random.Random, words: str) -> str:
    """``words`` in HTML, seldom well formed."""
    tags = dice.choices(
        ("p", "div", "b", "table", "td", "blockquote", "style", "script", "a", "br", "x-y", "!--"),
        k=dice.randint(1, 8),
    )
    opened = "".join(f"<{tag}{dice.choice(_ATTRIBUTES)}>" for tag in tags)
    closed = "".join(f"</{tag}>" for tag in reversed(tags) if dice.random() < 0.8)
    return f"{opened}{words}{dice.choice(_ENTITIES)}{closed}"


_ATTRIBUTES = ("", "", " class='gmail_quote'", ' style="display:none"', " a=b c", ' href="', " /")
_ENTITIES = (
    "",
    "&nbsp;",
    "&#128;",
    "&#x110000;",
    "&#99999999999;",
    "&amp",
    "&lt;p&gt;",
    "<",
    "]]>",
)
