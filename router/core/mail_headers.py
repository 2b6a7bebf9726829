"""The header block of a mail or of one of its parts, read leniently and in bounded time."""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass
from email.message import Message

from router.core.charset import decode_text

_MAX_HEADERS = 500
_MAX_VALUE = 4_000
_FOLD = re.compile(r"\r?\n[ \t]+")
_LINE = re.compile(r"([!-9;-~]{1,200})[ \t]*:[ \t]*(.*)")
_ENCODED_WORD = re.compile(r"=\?([\w.:-]{1,40})(?:\*[\w-]{0,40})?\?([bBqQ])\?([^?\s]{0,2000})\?=")
_BETWEEN_WORDS = re.compile(r"(\?=)\s+(=\?)")


@dataclass(frozen=True, slots=True)
class ContentType:
    """A part's ``Content-Type`` and what goes with it; ``charset`` and the rest may be empty."""

    kind: str
    charset: str
    boundary: str
    flowed: bool
    delsp: bool
    attached: bool


def read_headers(block: bytes) -> dict[str, str]:
    """Lower-case names to decoded values; those of a header that came several times are joined
    with ``, ``. What is no header line is passed over."""
    headers: dict[str, str] = {}
    lines = _FOLD.sub(" ", decode_text(block, None)).split("\n")
    for line in lines[:_MAX_HEADERS]:
        if match := _LINE.fullmatch(line.rstrip("\r")):
            name, value = match[1].lower(), decode_words(match[2][:_MAX_VALUE]).strip()
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def decode_words(value: str) -> str:
    """RFC 2047's encoded words as text; a malformed one stays as it is."""
    if "=?" not in value:
        return value
    return _ENCODED_WORD.sub(_decode_word, _BETWEEN_WORDS.sub(r"\1\2", value))


def _decode_word(match: re.Match[str]) -> str:
    charset, encoding, payload = match.groups()
    data = payload.encode("utf-8", "replace")
    if encoding in "qQ":
        return decode_text(binascii.a2b_qp(data, header=True), charset)
    try:
        return decode_text(binascii.a2b_base64(data + b"=" * (-len(data) % 4)), charset)
    except binascii.Error:
        return match.group()


def content_type(headers: dict[str, str]) -> ContentType:
    """What the part says it is; a part that says nothing, or nonsense, is plain text."""
    message = Message()
    message["Content-Type"] = _one_line(headers.get("content-type", "text/plain"))
    message["Content-Disposition"] = _one_line(headers.get("content-disposition", "inline"))
    kind = message.get_content_type()
    attached = message.get_content_disposition() == "attachment" or (
        message.get_filename() is not None and "content-disposition" in headers
    )
    return ContentType(
        kind=kind,
        charset=_parameter(message, "charset"),
        boundary=_parameter(message, "boundary"),
        flowed=_parameter(message, "format").lower() == "flowed",
        delsp=_parameter(message, "delsp").lower() == "yes",
        attached=attached,
    )


def _one_line(value: str) -> str:
    return " ".join(value.split())[:1_000]


def _parameter(message: Message, name: str) -> str:
    value = message.get_param(name, "")
    return value[2] if isinstance(value, tuple) else str(value)
