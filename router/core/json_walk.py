"""A lenient walk over JSON bytes that knows where it is: for saying what is wrong, and where.

Its stack is its own and bounded, so that no nesting, key or number makes it raise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from math import isinf

from router.core.event import Rejected

WHOLE = "$"
MAX_DEPTH = 128
"""Nesting of objects and lists; what is published nests one deeper and other languages' parsers
stop somewhere above."""

_LEAST, _MOST = -(2**63), 2**64 - 1
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{},:]|[^\s"\[\]{},:]++', re.DOTALL)
_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*+)(\.[0-9]++)?([eE][+-]?[0-9]++)?")
_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<lone>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
    rb"|\\.",
    re.DOTALL,
)
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_MAX_PATH = 12


def dotted(path: Iterable[str | int]) -> str:
    """``attachments.0.size``; a key that is no plain name shows as ``*``, since it may be data."""
    steps = [
        str(step) if isinstance(step, int) or _PLAIN_KEY.fullmatch(step) else "*"
        for step in islice(path, _MAX_PATH + 1)
    ]
    if len(steps) > _MAX_PATH:
        steps[_MAX_PATH:] = ["…"]
    return ".".join(steps) or WHOLE


class JsonWalk:
    """Where a walk over ``value`` stands: for each open object its key, for each list its index."""

    def __init__(self, value: bytes) -> None:
        self._value = value
        self._stack: list[str | int] = []
        self._wants_key = False

    @property
    def field(self) -> str:
        """The field that the walk stands in, as a dotted path."""
        return dotted(self._stack)

    def first_problem(self, until: int) -> Rejected | None:
        """Walks on to byte ``until``: the first thing on the way that is well-formed and yet
        refused, if any."""
        for token in _TOKEN.finditer(self._value):
            if token.start() > until:
                return None
            if problem := self._step(token.group()):
                return problem
        return None

    def _step(self, token: bytes) -> Rejected | None:
        match token[:1]:
            case b"{" | b"[":
                return self._open(token == b"{")
            case b"}" | b"]":
                self._wants_key = False
                del self._stack[-1:]
            case b",":
                self._next()
            case b":":
                self._wants_key = False
            case b'"':
                return self._string(token)
            case _:
                return self._scalar(token)
        return None

    def _open(self, is_object: bool) -> Rejected | None:
        if len(self._stack) >= MAX_DEPTH:
            detail = f"Objects and lists nest deeper than {MAX_DEPTH}."
            return Rejected("too_deep", self.field, detail)
        self._wants_key = is_object
        self._stack.append("" if is_object else 0)
        return None

    def _next(self) -> None:
        top = self._stack[-1] if self._stack else None
        self._wants_key = isinstance(top, str)
        if isinstance(top, int):
            self._stack[-1] = top + 1

    def _string(self, token: bytes) -> Rejected | None:
        if self._wants_key and self._stack:
            self._stack[-1] = token[1:80].rstrip(b'"').decode(errors="replace")
        if b"\\u" not in token or not _has_lone_surrogate(token):
            return None
        where = dotted(self._stack[:-1]) if self._wants_key else self.field
        detail = "A \\u escape is half of a surrogate pair, which is no character."
        return Rejected("lone_surrogate", where, detail)

    def _scalar(self, token: bytes) -> Rejected | None:
        if not _out_of_range(token):
            return None
        detail = "A number must fit 64 bits: an integer, or a double."
        return Rejected("number_out_of_range", self.field, detail)


def _has_lone_surrogate(text: bytes) -> bool:
    return any(escape.lastgroup == "lone" for escape in _ESCAPE.finditer(text))


def _out_of_range(token: bytes) -> bool:
    number = _NUMBER.fullmatch(token)
    if not number:
        return False
    if number.group(1) or number.group(2):
        return isinf(float(token))
    return len(token) > 20 or not _LEAST <= int(token) <= _MOST
