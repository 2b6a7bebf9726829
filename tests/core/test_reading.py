"""From an event to its customer's text: never raises, never invents."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.core.event import ChatMessage, EmailMessage
from router.core.reading import HEAD, TAIL, Cleaned, clean
from router.core.text import CustomerText

SHARED: dict[str, Any] = {
    "event_id": "1",
    "time": datetime(2026, 3, 2, tzinfo=UTC),
    "conversation_id": "c",
    "author": "customer",
    "customer_id": None,
    "locale": "nl-NL",
    "country": None,
    "product": None,
    "segment": None,
    "fields": {},
    "raw": b"",
}


def chat(text: str) -> Cleaned:
    return clean(ChatMessage(**SHARED, text=text))


def email(subject: str, text: str = "", html: str = "") -> Cleaned:
    mail = EmailMessage(**SHARED, subject=subject, body_text=text, body_html=html, headers={})
    return clean(mail)


def kinds(text: Cleaned) -> list[str]:
    return [cut.kind for cut in text.cuts]


def test_a_chat_text_is_cleaned_and_its_language_told_by_all_of_it() -> None:
    text = chat(" my\u200b card\n is  lost ")
    assert (text.text, text.spoken) == ("my card is lost", "my card is lost")
    assert kinds(text) == ["control"]
    assert text.in_language("xx") == CustomerText("my card is lost", "xx", text.cuts)


def test_a_mails_language_is_told_by_its_body_or_else_by_its_subject() -> None:
    assert email("Your statement", "Wo ist meine Karte?").spoken == "Wo ist meine Karte?"
    assert email("Wo ist meine Karte?").spoken == "Wo ist meine Karte?"


def test_a_chat_is_no_mail() -> None:
    assert chat("> what you said\nis wrong").text == "> what you said is wrong"


def test_a_mails_subject_stands_above_its_body() -> None:
    assert email("Charged twice", "Please\nhelp.").text == "Charged twice\nPlease help."


@pytest.mark.parametrize("prefix", ["Fwd: ", "FW: ", "WG: ", "TR : ", "[Help] Fwd: [x] I: ", "PD:"])
def test_a_forwards_subject_is_kept_without_its_prefix(prefix: str) -> None:
    body = "is this mail really yours, or a fraud?"
    assert email(prefix + "You won", body).text == f"You won\n{body}"


@pytest.mark.parametrize("prefix", ["Re: ", "AW: ", "re[2]: ", "RE: FW: ", "Odp: ", "Antw: "])
def test_a_replys_subject_is_kept_only_where_its_body_says_little(prefix: str) -> None:
    assert email(prefix + "Your card", "it still has not come to me").text == (
        "it still has not come to me"
    )
    assert email(prefix + "Your card", "Still nothing!").text == "Your card\nStill nothing!"
    assert email(prefix + "Your card", "").text == "Your card"


@pytest.mark.parametrize("subject", ["Refund: where is it", "Reset my PIN", "I: need help"])
def test_a_subject_that_only_starts_like_a_prefix(subject: str) -> None:
    assert email(subject, "").text in (subject, subject.removeprefix("I: "))


def test_a_subject_that_the_body_repeats_is_not_said_twice() -> None:
    assert email("My card", "my card is lost").text == "my card is lost"


def test_the_html_body_is_read_where_there_is_no_plain_one() -> None:
    html = "<p>My card</p><blockquote>old</blockquote>"
    text = email("", " \n", html)
    assert text.text == "My card"
    assert kinds(text) == ["markup", "quote"]
    assert email("", "plain", html).text == "plain"


def test_what_holds_no_words_is_empty() -> None:
    assert chat(" \n\u200b\x00").text == ""
    assert email("", "").text == ""
    assert email("Re: ", "-- \nAna").text == ""


def test_of_a_long_text_the_head_and_the_tail_stay() -> None:
    words = " ".join(str(number) for number in range(20_000))
    text = chat(words)
    assert text.text.startswith("0 1 2 3 ")
    assert text.text.endswith(" 19998 19999")
    assert len(text.text) <= HEAD + TAIL + 1
    assert [cut.kind for cut in text.cuts] == ["length"]


@given(st.text())
def test_any_chat_text_is_read_and_nothing_invented(raw: str) -> None:
    clean = chat(raw).text
    assert set(normalize("NFD", clean)) <= set(normalize("NFD", raw)) | {" "}


PIECE = st.sampled_from(
    ["Re: ", "hello ", "\n", "> old\n", "-- \n", "On 2 March 2026 Bank wrote:\n", "<p>", "</div>",
     "<blockquote>", "&nbsp;", "From: a\nSent: b\nTo: c\n\n", "\r", "\u200b", "\ud800", "e\u0301"]
)  # fmt: skip
TEXT = st.lists(PIECE | st.text(max_size=5), max_size=10).map("".join)


@given(TEXT, TEXT, TEXT)
def test_any_mail_is_read_and_nothing_invented(subject: str, body: str, html: str) -> None:
    read = email(subject, body, html)
    given_signs = set(normalize("NFD", subject + (body if body.strip() else html)))
    entities = set(" \n\xa0&<>_-\ufffd")
    if body.strip():
        assert set(normalize("NFD", read.text)) <= given_signs | {" ", "\n"}
    else:
        assert "&" in html or set(normalize("NFD", read.text)) <= given_signs | entities
    read.text.encode()
    assert all(cut.characters > 0 for cut in read.cuts)


@given(TEXT)
def test_reading_again_changes_nothing(raw: str) -> None:
    once = chat(raw).text
    assert chat(once).text == once
