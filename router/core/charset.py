"""Bytes of a mail part to text, whatever charset they claim: always an answer."""

from __future__ import annotations

import codecs
import re

_TEXT_CODECS = re.compile(
    r"(?:utf|iso|latin|cp|windows|koi8|mac|euc|shift|gb|big5|ascii|us-ascii|hz|johab|tis|ptcp|kz)"
    r"[a-z0-9_-]*"
)
"""Families of plain charsets; Python's other codecs decompress, unescape or take quadratic time."""
_AS_BROWSERS_DO = {"iso8859-1": "cp1252", "ascii": "cp1252"}
_SURROGATE = re.compile("[\ud800-\udfff]")


def decode_text(data: bytes, charset: str | None) -> str:
    """``data`` as text: valid UTF-8 is believed over the label, the label over a guess."""
    name = _known(charset)
    if name is None or _is_ascii_superset(name):
        try:
            return data.decode()
        except UnicodeDecodeError:
            pass
    try:
        text = data.decode(name or "cp1252")
    except (UnicodeDecodeError, LookupError):
        text = data.decode("cp1252", errors="replace")
    return _SURROGATE.sub("\ufffd", text)


def _known(charset: str | None) -> str | None:
    label = (charset or "").strip().lower()
    if not _TEXT_CODECS.fullmatch(label):
        return None
    try:
        name = codecs.lookup(label).name
    except LookupError:
        return None
    return _AS_BROWSERS_DO.get(name, name)


def _is_ascii_superset(name: str) -> bool:
    """Then bytes that happen to be UTF-8 are most likely just that, and wrongly labelled."""
    return not name.startswith(("utf-16", "utf-32", "utf-7", "iso2022", "hz"))
