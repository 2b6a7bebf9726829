"""An event to the text that its customer newly wrote."""

from __future__ import annotations

import re

from router.core.cleaning import compact, is_plain, unify_lines, without_controls
from router.core.event import ChatMessage, EmailMessage, Event
from router.core.markup import text_of_html
from router.core.replies import newly_written
from router.core.text import CustomerText, Cut, CutKind
from router.core.values import value

HEAD, TAIL = 15_000, 5_000
"""Characters kept of a longer text. A model reads far less, but the policy's rules read all of it,
and what matters most to a customer is said first or last."""

_PREFIX = re.compile(
    r"\A\s*(?:\[[^\]]{0,40}\]\s*)*(?P<kind>re|aw|sv|vs|odp|antw|antwort|r|res|"
    r"fwd?|wg|tr|rv|i|enc|doorst|pd|vl)(?:\s?[\[(]\d{1,3}[\])])?\s?[:：]",
    re.IGNORECASE,
)
_REPLY_KINDS = frozenset(("re", "aw", "sv", "odp", "antw", "antwort", "r", "res", "vs"))
_ENOUGH_WORDS = 5
_MAX_PREFIXES, _MAX_SUBJECT = 10, 2_000


@value(frozen=True, slots=True)
class Cleaned:
    """What the customer newly wrote in ``event``, empty where that is nothing. ``spoken`` is what
    its language is told by: the body, or a subject that stands alone."""

    event: Event
    text: str
    spoken: str
    cuts: tuple[Cut, ...]

    def in_language(self, language: str) -> CustomerText:
        return CustomerText(self.text, language, self.cuts)


def clean(event: Event) -> Cleaned:
    """The cleaned text of ``event``. Never raises."""
    if isinstance(event, ChatMessage):
        return _cleaned(event, "", event.text, ())
    body, cuts = _body(event)
    return _cleaned(event, _subject(event.subject, body), body, cuts)


def _cleaned(event: Event, subject: str, body: str, cuts: tuple[Cut, ...]) -> Cleaned:
    subject, *subject_gone = _line(subject)
    body, *body_gone = _line(body)
    if subject and body.casefold().startswith(subject.casefold()):
        subject = ""
    text = f"{subject}\n{body}" if subject and body else body or subject
    kinds: tuple[CutKind, ...] = ("control", "length")
    gone = zip(kinds, subject_gone, body_gone, strict=True)
    cuts += tuple(Cut(kind, one + other) for kind, one, other in gone if one + other)
    return Cleaned(event, text, body or subject, cuts)


def _line(part: str) -> tuple[str, int, int]:
    """``part`` as one bounded line; how many characters went as controls, and how many as too
    long."""
    if not part:
        return "", 0, 0
    if len(part) <= HEAD + TAIL and is_plain(part):
        return compact(part), 0, 0
    visible = without_controls(unify_lines(part))
    bounded = _bounded(visible)
    return compact(bounded), len(part) - len(visible), len(visible) - len(bounded)


def _body(event: EmailMessage) -> tuple[str, tuple[Cut, ...]]:
    """The plain body's new words; those of the HTML body where there is no plain one."""
    cuts: tuple[Cut, ...] = ()
    body = event.body_text
    if not body.strip() and event.body_html:
        body = text_of_html(event.body_html)
        cuts = (Cut("markup", len(event.body_html) - len(body)),)
    written, reply_cuts = newly_written(unify_lines(body).replace("\xa0", " "))
    return written, tuple(cut for cut in (*cuts, *reply_cuts) if cut.characters > 0)


def _subject(subject: str, body: str) -> str:
    """The subject without ``Re:`` and the like. A reply's is left out where its body speaks for
    itself: it names the thread, often in the bank's own words."""
    prefix = _PREFIX.match(subject)
    replies = prefix is not None and prefix["kind"].lower() in _REPLY_KINDS
    if replies and len(body[:500].split()) >= _ENOUGH_WORDS:
        return ""
    bare = subject[:_MAX_SUBJECT]
    for _ in range(_MAX_PREFIXES):
        bare = _PREFIX.sub("", bare, count=1)
    return bare


def _bounded(text: str) -> str:
    return text if len(text) <= HEAD + TAIL else f"{text[:HEAD]} {text[-TAIL:]}"
