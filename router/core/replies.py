"""The newly written part of a mail: without quotes, signatures and disclaimers.

When in doubt words stay: a quote too many lowers a confidence, a lost sentence loses a customer.
Own and small: the one kept library we measured needs minutes for some mails of 20 kB.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from router.core import reply_marks as marks
from router.core.text import Cut, CutKind

_MAX_LINES = 5_000
_LONG_PARAGRAPH = 120


@dataclass(slots=True)
class _Sorted:
    """Lines by what they are; a mail's own order is kept within each."""

    kept: list[str] = field(default_factory=list)
    quoted: list[str] = field(default_factory=list)
    cut: dict[CutKind, int] = field(default_factory=dict)

    def drop(self, kind: CutKind, lines: Sequence[str]) -> None:
        size = sum(len(line) + 1 for line in lines)
        self.cut[kind] = self.cut.get(kind, 0) + size

    @property
    def empty(self) -> bool:
        return not any(line.strip() for line in self.kept)


def newly_written(text: str) -> tuple[str, tuple[Cut, ...]]:
    """What the author of ``text`` wrote now, and what was left out.

    A mail that only forwards or quotes is taken at its word: then that is the message (a customer
    forwards a suspicious mail without a word of his own).
    """
    lines = [line.rstrip() for line in text.split("\n")]
    found = _sort(lines[:_MAX_LINES])
    found.kept += [line for line in lines[_MAX_LINES:] if not line.startswith(">")]
    if found.empty and found.quoted:
        found = _sort([line.lstrip("> ") for line in found.quoted])
    _drop_disclaimer(found)
    cuts = tuple(Cut(kind, size) for kind, size in found.cut.items() if size)
    return "\n".join(found.kept).strip(), cuts


def _sort(lines: list[str]) -> _Sorted:
    found = _Sorted()
    at = 0
    while at < len(lines):
        line = lines[at]
        if marks.QUOTED.match(line):
            found.quoted.append(line)
            found.drop("quote", [line])
            at += 1
        elif size := _embedding(lines, at):
            if not found.empty:
                found.drop("quote", lines[at:])
                break
            found.drop("quote", lines[at : at + size])
            at += size
        elif size := _intro(lines, at):
            if not found.empty and not _quote_follows(lines, at + size):
                found.drop("quote", lines[at:])
                break
            found.drop("quote", lines[at : at + size])
            at += size
        elif size := _signature(lines, at):
            found.drop("signature", lines[at : at + size])
            at += size
        else:
            found.kept.append(line)
            at += 1
    return found


def _embedding(lines: list[str], at: int) -> int:
    """How many lines announce another mail from ``at`` on: a separator, a header block, or a
    rule and a header block. 0 for none."""
    line = lines[at]
    if len(line) > marks.MAX_LINE:
        return 0
    if marks.SEPARATOR.match(line):
        after = _skip_blank(lines, at + 1)
        return after - at + _header_block(lines, after, least=1)
    if marks.RULE.match(line):
        after = _skip_blank(lines, at + 1)
        block = _header_block(lines, after, least=3)
        return after - at + block if block else 0
    return _header_block(lines, at, least=3)


def _header_block(lines: list[str], at: int, least: int) -> int:
    """The lines of a mail's header printed into a body, 0 where there are fewer than ``least``
    labels. Sender and subject or date sent must be among three: a customer lists From and To of
    a transfer too."""
    labels: set[str] = set()
    count = size = 0
    for number, line in enumerate(lines[at : at + marks.MAX_HEADER_LINES]):
        match = marks.HEADER_LINE.match(line) if len(line) <= marks.MAX_LINE else None
        if match:
            labels.add(str(match.lastgroup))
            count, size = count + 1, number + 1
        elif number == 0 or number + 1 - size > 1:
            break
    if count < least or (least > 1 and not ("sender" in labels and labels & {"sent", "subject"})):
        return 0
    return size


def _intro(lines: list[str], at: int) -> int:
    """How many lines say that somebody wrote what follows, 0 for none; mail programs wrap them."""
    if len(lines[at]) > marks.MAX_LINE or not marks.INTRO_HINT.match(lines[at]):
        return 0
    joined = ""
    for number, line in enumerate(lines[at : at + marks.MAX_INTRO_LINES], start=1):
        if not line.strip() or len(joined) + len(line) > marks.MAX_LINE:
            return 0
        joined = f"{joined} {line.strip()}".strip()
        quote_follows = _quote_follows(lines, at + number)
        if _says_wrote(joined) and (quote_follows or marks.STAMPED.search(joined)):
            return number
        if quote_follows and marks.INTRO_BY_NAME.match(joined):
            return number
    return 0


def _says_wrote(joined: str) -> bool:
    return bool(
        marks.INTRO_WITH_START.match(joined)
        or marks.INTRO_WITH_ADDRESS.match(joined)
        or marks.INTRO_DATED.match(joined)
    )


def _quote_follows(lines: list[str], at: int) -> bool:
    after = _skip_blank(lines, at)
    return after < len(lines) and bool(marks.QUOTED.match(lines[after]))


def _signature(lines: list[str], at: int) -> int:
    """The lines of a signature that begins at ``at``, 0 for none. It ends where a quote begins;
    one that goes on too long is none."""
    line = lines[at]
    if marks.SENT_FROM.match(line[: marks.MAX_LINE]) and not (lines[at + 1 : at + 2] or [""])[0]:
        return 1
    if not marks.SIGNATURE.match(line):
        return 0
    written = 0
    for end in range(at + 1, len(lines)):
        if marks.QUOTED.match(lines[end]) or _embedding(lines, end) or _intro(lines, end):
            return end - at
        written += bool(lines[end])
        if written > marks.MAX_SIGNATURE_LINES:
            return 0
    return len(lines) - at


def _skip_blank(lines: list[str], at: int) -> int:
    while at < len(lines) and not lines[at].strip():
        at += 1
    return at


def _drop_disclaimer(found: _Sorted) -> None:
    """Closing paragraphs of a lawyer go, unless nothing else would be left."""
    while (start := _last_paragraph(found.kept)) > 0:
        paragraph = " ".join(found.kept[start:])
        words = {
            match.group().lower() for match in marks.DISCLAIMER_WORDS.finditer(paragraph[:4_000])
        }
        if len(paragraph) < _LONG_PARAGRAPH or len(words) < 3:
            return
        found.drop("disclaimer", found.kept[start:])
        del found.kept[start:]


def _last_paragraph(lines: list[str]) -> int:
    """Where the last paragraph begins, 0 where it is the only one; blank lines at the end go."""
    while lines and not lines[-1].strip():
        lines.pop()
    start = len(lines)
    while start and lines[start - 1].strip():
        start -= 1
    return start if any(line.strip() for line in lines[:start]) else 0
