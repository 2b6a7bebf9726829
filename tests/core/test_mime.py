"""Mails as they come: multipart, any charset, forwarded, broken, hostile."""

from __future__ import annotations

import base64
import time
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.core.event import Rejected
from router.core.mime import FORWARDED, Mail, read_mime


def read(data: bytes) -> Mail:
    mail = read_mime(base64.b64encode(data).decode())
    assert isinstance(mail, Mail)
    return mail


def lines(*parts: str) -> bytes:
    return "\r\n".join(parts).encode()


def test_a_plain_mail_is_read() -> None:
    mail = read(lines("Subject: My", " card", "FROM: ana@x.example", "", "Where is it?", ""))
    assert (mail.subject, mail.body_text, mail.body_html) == ("My card", "Where is it?\n", "")
    assert mail.headers["from"] == "ana@x.example"


def test_bare_newlines_do() -> None:
    assert read(b"Subject: a\n\nhello\nthere").body_text == "hello\nthere"


def test_wrapped_base64_is_read() -> None:
    encoded = base64.encodebytes(lines("Subject: " + "x" * 100, "", "hello")).decode()
    mail = read_mime(encoded)
    assert isinstance(mail, Mail)
    assert mail.body_text == "hello"


def test_encoded_words_are_decoded_and_joined() -> None:
    subject = (
        "Subject: =?utf-8?Q?Wo_ist?= =?UTF-8?b?IG1laW5lIEthcnRl?= =?x-no?q?=E4?= =?utf-8?b?!?="
    )
    assert read(lines(subject, "", "")).subject.startswith("Wo ist meine Karteä")


@pytest.mark.parametrize(
    ("charset", "body"),
    [
        ("utf-8", "£50 missing".encode()),
        ("iso-8859-1", "£50 missing".encode("latin-1")),
        ("windows-1250", "£50 missing".encode("cp1252")),
        ("no-such-charset", "£50 missing".encode()),
        ("zip", "£50 missing".encode("latin-1")),
        ("us-ascii", "£50 missing".encode()),
        ("iso-8859-1", "£50 missing".encode()),
        ("utf-8", "£50 missing".encode("cp1252")),
    ],
)
def test_a_charset_is_believed_as_far_as_it_goes(charset: str, body: bytes) -> None:
    head = lines(f'Content-Type: text/plain; charset="{charset}"', "", "")
    text = read(head + body).body_text
    assert text == "£50 missing" or (charset == "windows-1250" and text == "Ł50 missing")


def test_an_utf_16_body_is_read() -> None:
    head = lines(
        "Content-Type: text/plain; charset=utf-16", "Content-Transfer-Encoding: base64", ""
    )
    body = base64.encodebytes("Où est ma carte ?".encode("utf-16"))
    assert read(head + b"\r\n" + body).body_text == "Où est ma carte ?"


def test_quoted_printable_is_decoded() -> None:
    head = lines(
        "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: Quoted-Printable"
    )
    assert read(head + b"\r\n\r\nlong =\r\nline =C3=A9 = x").body_text == "long line é = x"


def test_flowed_lines_are_joined_within_their_quote() -> None:
    head = lines('Content-Type: text/plain; format="flowed"', "", "")
    body = lines("> was it ", "> this?", "No, it ", "was ", "that.", " >not quoted", "-- ", "Ana")
    assert read(head + body).body_text == (
        "> was it this?\nNo, it was that.\n>not quoted\n-- \nAna"
    )


def test_the_spaces_of_delsp_go() -> None:
    head = lines("Content-Type: text/plain; format=flowed; delsp=yes", "", "")
    assert read(head + b"Kar \r\nte").body_text == "Karte"


def multipart(kind: str, *parts: bytes) -> bytes:
    inner = b"".join(b"--b=1\r\n" + part + b"\r\n" for part in parts)
    head = lines(
        "Subject: s", f'Content-Type: multipart/{kind}; boundary="b=1"', "", "preamble", ""
    )
    return head + inner + b"--b=1--\r\nepilogue"


PLAIN = lines("Content-Type: text/plain", "", "plain words")
HTML = lines("Content-Type: text/html", "", "<p>marked words</p>")


def test_an_alternative_gives_its_plain_form() -> None:
    mail = read(multipart("alternative", PLAIN, HTML))
    assert (mail.body_text, mail.body_html) == ("plain words", "")


def test_an_empty_plain_form_gives_way_to_html() -> None:
    mail = read(multipart("alternative", lines("Content-Type: text/plain", "", " "), HTML))
    assert (mail.body_text, mail.body_html) == ("", "<p>marked words</p>")


def test_parts_after_each_other_are_all_read() -> None:
    assert read(multipart("mixed", HTML, PLAIN)).body_text == "marked words\n\nplain words"


def test_attachments_are_passed_over() -> None:
    attached = lines("Content-Disposition: attachment; filename=a.txt", "", "attached words")
    image = lines("Content-Type: image/png", "Content-Transfer-Encoding: base64", "", "AAAA")
    named = lines("Content-Disposition: inline; filename*=utf-8''b.txt", "", "named words")
    assert read(multipart("mixed", attached, PLAIN, image, named)).body_text == "plain words"


def test_a_mail_attached_whole_reads_like_one_forwarded_inline() -> None:
    attached = lines("Content-Type: message/rfc822", "", "Subject: Prize", "", "You won")
    text = read(multipart("mixed", PLAIN, attached)).body_text
    assert text == f"plain words\n\n{FORWARDED}\nSubject: Prize\n\nYou won"


def test_a_mail_written_by_the_standard_library_is_read() -> None:
    message = EmailMessage(policy=SMTP)
    message["Subject"] = "Überweisung nach Łódź ist weg"
    message["From"] = "Ana Müller <ana@customer.example>"
    message.set_content("Grüße, wo ist mein Geld?\n" + "lang " * 60 + "\n")
    message.add_alternative("<p>Grüße</p>", subtype="html")
    message.add_attachment(b"\x00\x01", maintype="image", subtype="png", filename="foto.png")
    mail = read(message.as_bytes())
    assert mail.subject == message["Subject"]
    assert mail.headers["from"] == "Ana Müller <ana@customer.example>"
    assert mail.body_text == "Grüße, wo ist mein Geld?\n" + "lang " * 60 + "\n"


def test_an_unclosed_boundary_loses_nothing() -> None:
    data = multipart("mixed", PLAIN).replace(b"--b=1--", b"")
    assert "plain words" in read(data).body_text


@pytest.mark.parametrize("data", [b"", b"no header at all", b"\r\nSubject: late\r\n"])
def test_what_has_no_header_is_bad_mime(data: bytes) -> None:
    rejected = read_mime(base64.b64encode(data).decode())
    assert isinstance(rejected, Rejected)
    assert (rejected.reason, rejected.field) == ("bad_mime", "raw")


HOSTILE = {
    "nested mails": b"Content-Type: message/rfc822\n\n" * 20_000,
    "nested multiparts": b"Content-Type: multipart/mixed; boundary=b\n\n--b\n" * 15_000,
    "many parts": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 80_000,
    "one boundary many lines": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"-\n" * 300_000,
    "many headers": b"A: =?utf-8?q?x?=\n" * 40_000,
    "a long fold": b"Subject: a" + b"\n " * 300_000,
    "parameters": b'Content-Type: text/plain; a="' + b'\\";' * 200_000,
    "encoded words": b"Subject: " + b"=?utf-8?q?" * 60_000,
    "flowed": b"Content-Type: text/plain; format=flowed\n\n" + b"a \n" * 200_000,
    "quote marks": b"Content-Type: text/plain; format=flowed\n\n" + b">" * 600_000,
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_mail_takes_bounded_time(data: bytes) -> None:
    start = time.process_time()
    read(data)
    assert time.process_time() - start < 5


PIECE = st.sampled_from(
    [
        b"Subject: x\r\n", b"Content-Type: multipart/mixed; boundary=b\r\n", b"\r\n", b"--b\r\n",
        b"--b--", b"Content-Type: text/html; charset=utf-7\r\n", b"text", b"\xff\x00", b"=E9=\r\n",
        b"Content-Type: message/rfc822\r\n", b"Content-Transfer-Encoding: base64\r\n", b"QUI=",
        b"Content-Type: text/plain; charset*0*=utf-8''x; format=flowed; boundary*1=\r\n",
        b"> a \r\n",
        b"Content-Disposition: attachment; filename*=x'y'%ff%\r\n", b"+2AA-",
        b"Content-Type: ;;=\r\n",
        b"Subject: =?utf-7?q?+2AA-?=\r\n", b"Content-Transfer-Encoding: quoted-printable\r\n",
    ]
)  # fmt: skip


@settings(max_examples=300)
@given(st.lists(PIECE | st.binary(max_size=20), max_size=25))
def test_any_bytes_are_a_mail_or_refused(pieces: list[bytes]) -> None:
    mail = read_mime(base64.b64encode(b"".join(pieces)).decode())
    if isinstance(mail, Mail):
        for text in (mail.subject, mail.body_text, mail.body_html, *mail.headers.values()):
            text.encode()


@given(st.text())
def test_any_text_is_a_mail_or_refused(encoded: str) -> None:
    assert isinstance(read_mime(encoded), Mail | Rejected)


@given(st.text(st.characters(exclude_categories=("Cs", "Cc"))), st.sampled_from(["base64", "8bit"]))
def test_a_body_comes_through_unchanged(text: str, encoding: str) -> None:
    body = base64.encodebytes(text.encode()) if encoding == "base64" else text.encode()
    head = lines(
        "Content-Type: text/plain; charset=utf-8", f"Content-Transfer-Encoding: {encoding}"
    )
    mail = read(head + b"\r\n\r\n" + body)
    assert mail.body_text.rstrip("\n") == text if text.strip() else not mail.body_text.strip()
