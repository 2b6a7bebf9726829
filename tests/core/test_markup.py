"""HTML to the text that a reader sees, with quotes marked, in bounded time."""

from __future__ import annotations

import time
from html import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.core.markup import SEPARATOR, text_of_html


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("<div>one</div><div>two</div>three", "one\ntwo\nthree"),
        ("one<br>two<br/>three", "one\ntwo\nthree"),
        ("my <b>ca</b>rd <i>is</i>\n  lost", "my card is lost"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c", "a b\nc"),
        ("<ul><li>one<li>two</ul>", "one\ntwo"),
        ("<pre>a  b\n c</pre>", "a b\nc"),
        (
            "a&nbsp;b &lt;c&gt; &amp;amp; &euro;5 &#8364;&#x20AC; &nope;",
            "a b <c> &amp; €5 €€ &nope;",
        ),
        ("<html><head><title>t</title><style>p{}</style></head><body>b</body></html>", "b"),
        ("<head><meta charset=utf-8><p>no body tag", "no body tag"),
        ("a<script>if (1<2) { x('</p>') }</script>b<STYLE>x</STYLE >c", "abc"),
        ("a<!-- <p>no</p> -->b<!--[if mso]>c<![endif]-->d<![if !mso]>e<![endif]>", "abde"),
        ("a<?xml:namespace x />b<!DOCTYPE html>c", "abc"),
        ("<a href=\"x>y\" title='<b>'>link</a>", "link"),
        ("5 < 6 and 7 > 3 <3", "5 < 6 and 7 > 3 <3"),
        ("<p>open <b>tags", "open tags"),
        ("</div></b>closed only", "closed only"),
        ("<!-- never closed <p>x", ""),
        ("seen<p title='never closed>x", "seen\n\nx"),
        ("", ""),
    ],
)
def test_blocks_break_and_inline_tags_do_not(html: str, text: str) -> None:
    assert text_of_html(html) == text


@pytest.mark.parametrize(
    "hiding",
    [
        '<div style="display: none">x</div>',
        "<span style='DISPLAY:NONE !important;color:red'>x</span>",
        "<p hidden>x</p>",
        '<div style="mso-hide:all; font-size:0px;">x <p>y</p> z</div>',
        "<svg><text>x</text></svg>",
        "<template><p>x</p></template>",
    ],
)
def test_hidden_elements_are_left_out(hiding: str) -> None:
    assert text_of_html(f"<p>before</p>{hiding}<p>after</p>").split() == ["before", "after"]


@pytest.mark.parametrize(
    "shown", ["font-size:0.9em", "opacity:0.5", "max-height:0.5em", "display:block"]
)
def test_what_is_merely_small_is_seen(shown: str) -> None:
    assert text_of_html(f'<p style="{shown}">x</p>') == "x"


@pytest.mark.parametrize(
    "quote",
    [
        "<blockquote>old <b>words</b></blockquote>",
        '<blockquote type="cite"><div>old words</div></blockquote>',
        '<div class="gmail_quote">old words</div>',
        '<div class="x_gmail_quote x"><div>old</div> words</div>',
        '<div class="moz-cite-prefix">old words</div>',
        '<div id="yahoo_quoted_1" class="yahoo_quoted">old words</div>',
    ],
)
def test_quoted_blocks_are_marked(quote: str) -> None:
    lines = text_of_html(f"<div>new</div>{quote}<div>also new</div>").split("\n")
    assert lines[0] == "new"
    assert lines[-1] == "also new"
    assert lines[1:-1]
    assert all(line.startswith("> ") for line in lines[1:-1])


def test_a_quote_ends_with_the_element_that_holds_it() -> None:
    html = "<div class=gmail_quote><blockquote>old</div><p>new</p>"
    assert text_of_html(html) == "> old\n\nnew"


def test_an_inline_end_tag_ends_no_block() -> None:
    assert text_of_html("<b><blockquote>old</b> too</blockquote>new") == "> old too\nnew"


@pytest.mark.parametrize(
    "mark",
    [
        '<div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm">',
        '<div id="divRplyFwdMsg" dir="ltr">',
        '<div id="x_appendonsend">',
    ],
)
def test_outlooks_borders_become_a_rule(mark: str) -> None:
    html = f"<p>new</p>{mark}<p><b>From:</b> Bank<br><b>Sent:</b> Monday</p></div>"
    expected = ["new", SEPARATOR, "From: Bank", "Sent: Monday"]
    assert [line for line in text_of_html(html).split("\n") if line] == expected


def test_a_signature_is_marked() -> None:
    assert text_of_html("new<div class=gmail_signature>Ana</div>") == "new\n-- \nAna"


HOSTILE = {
    "nested blocks": "<div>" * 66_000,
    "nested quotes": "<blockquote>" * 26_000,
    "inline ends": "<b>" * 100 + "</i>" * 66_000,
    "unmatched ends": "<div>" * 390 + "</b>" * 66_000,
    "angles": "<" * 333_000,
    "open quotes": '<a x="' * 53_000,
    "mixed quotes": "<a x='\"" * 46_000,
    "comments": "<!--" * 83_000,
    "half comments": "<!-- --" * 40_000,
    "scripts": "<script></script>" * 20_000,
    "endless reference": "&#" + "9" * 333_000,
    "references": "&amp" * 66_000,
    "spaces in a tag": "<a" + " " * 300_000 + '"',
    "styles": '<p class=x style="display:block;a:b">x</p>' * 8_000,
    "one style": '<p style="' + "a" * 300_000 + '">',
    "tables": "<table><tr><td>" * 20_000,
}


@pytest.mark.parametrize("html", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_mail_takes_bounded_time(html: str) -> None:
    start = time.process_time()
    text_of_html(html)
    assert time.process_time() - start < 5


TAGS = """
<p>|</p>|<div>|</div>|<b>|</b>|<blockquote>|</blockquote>|<br>|<td>|<table>|</table>|<pre>|</pre>
|<head>|</head>|<li>|<span hidden>|</span>|<!--|-->|<|>|&|&amp;|&#0;|&#xD800;|<a b='|<style>
|</style>|<a b="c">|<div class=gmail_quote>|<div id=divRplyFwdMsg>|<![|x|"|'
"""
TAG = st.sampled_from(TAGS.replace("\n", "").split("|"))


@settings(max_examples=300)
@given(st.lists(TAG | st.text(max_size=5), max_size=30))
def test_any_markup_gives_text(pieces: list[str]) -> None:
    text = text_of_html("".join(pieces))
    assert all(line == line.strip(" ") or line == "-- " for line in text.split("\n"))


WORDS = st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), min_size=1)


@given(st.lists(WORDS, max_size=8), st.sampled_from(["p", "div", "li", "td", "b", "span"]))
def test_every_word_is_kept(texts: list[str], tag: str) -> None:
    html = "".join(f"<{tag}>{escape(text)}</{tag}>\n" for text in texts)
    assert "".join(text_of_html(html).split()) == "".join("".join(texts).split())
