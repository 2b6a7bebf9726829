"""Only proof makes a message nobody's: a customer is never ignored on suspicion."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from router.core.authorship import why_ignored
from router.core.event import Author, ChatMessage, EmailMessage

SHARED: dict[str, Any] = {
    "event_id": "1",
    "time": datetime(2026, 3, 2, tzinfo=UTC),
    "conversation_id": "c",
    "customer_id": None,
    "locale": None,
    "country": None,
    "product": None,
    "segment": None,
    "fields": {},
    "raw": b"",
}


def email(headers: dict[str, str], author: Author = "customer") -> EmailMessage:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return EmailMessage(
        **SHARED, author=author, subject="", body_text="", body_html="", headers=named
    )


@pytest.mark.parametrize("author", ["colleague", "bot"])
def test_what_the_bank_wrote_is_not_the_customers(author: Author) -> None:
    assert why_ignored(ChatMessage(**SHARED, author=author, text="")) == "not_customer"
    assert why_ignored(email({"auto_submitted": "auto-replied"}, author)) == "not_customer"


def test_a_customers_chat_is_read() -> None:
    assert why_ignored(ChatMessage(**SHARED, author="customer", text="")) is None


@pytest.mark.parametrize(
    "headers",
    [
        {"auto_submitted": "auto-replied"},
        {"auto_submitted": "Auto-Generated; owner=x"},
        {"x_autoreply": "yes"},
        {"x_autorespond": "I am away"},
        {"precedence": "auto_reply"},
        {"precedence": "bulk", "list_id": "<news.shop.example>"},
        {"precedence": "junk", "x_auto_response_suppress": "All"},
        {"return_path": "<>", "from": "Mail Delivery <MAILER-DAEMON@mail.example>"},
        {"content_type": 'multipart/report; report-type="delivery-status"; boundary=x'},
        {"content_type": "multipart/report; boundary=x; Report-Type=disposition-notification"},
    ],
)
def test_an_automatic_mail_is_told_by_its_headers(headers: dict[str, str]) -> None:
    assert why_ignored(email(headers)) == "auto_reply"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"auto_submitted": "no"},
        {"auto_submitted": " No ; x=y"},
        {"x_autoreply": "no"},
        {"x_auto_response_suppress": "DR, OOF, AutoReply"},
        {"precedence": "bulk"},
        {"precedence": "list", "list_id": "<club.example>"},
        {"precedence": "first-class"},
        {"return_path": "<>", "from": "ana@customer.example"},
        {"return_path": "<ana@customer.example>", "from": "postmaster@customer.example"},
        {"content_type": "multipart/report; report-type=feedback; boundary=x"},
        {"content_type": "multipart/mixed; boundary=x"},
    ],
)
def test_a_customer_is_not_ignored_on_suspicion(headers: dict[str, str]) -> None:
    assert why_ignored(email(headers)) is None
