"""Whether the customer wrote a message at all.

Only proof counts: an automatic reply that is routed costs a colleague a glance, a customer who is
ignored has nobody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from router.core.event import EmailMessage, Event

_AUTO_PRECEDENCE = frozenset(("auto_reply", "auto-reply", "autoreply"))
_MASS_PRECEDENCE = frozenset(("bulk", "junk"))
_MASS_HEADERS = ("list-id", "list-unsubscribe", "x-auto-response-suppress")
_AUTO_HEADERS = ("x-autoreply", "x-autorespond", "x-auto-reply")
_NO = frozenset(("", "no", "false", "0", "none"))
_BOUNCE_SENDER = re.compile(r"(?:^|<)\s*(?:mailer-daemon|postmaster)@", re.IGNORECASE)
_BOUNCE_REPORT = re.compile(r"report-type\s*=\s*\"?(?:delivery-status|disposition-notification)")


def why_ignored(event: Event) -> Literal["not_customer", "auto_reply"] | None:
    """The reason why nobody needs to answer ``event``, or None: a customer wrote it."""
    if event.author != "customer":
        return "not_customer"
    if isinstance(event, EmailMessage) and _is_automatic(event.headers):
        return "auto_reply"
    return None


def _is_automatic(headers: Mapping[str, str]) -> bool:
    """RFC 3834 and the habits before it.

    ``Precedence: bulk``, ``X-Auto-Response-Suppress`` and ``List-Id`` prove nothing alone: ticket
    systems put the first, and Exchange the second, on what people write, and people write to
    lists. The first with one of the others is mass mail.
    """
    precedence = _value(headers, "precedence")
    submitted = _value(headers, "auto-submitted").partition(";")[0].strip()
    return (
        submitted not in _NO
        or any(_value(headers, name) not in _NO for name in _AUTO_HEADERS)
        or precedence in _AUTO_PRECEDENCE
        or (precedence in _MASS_PRECEDENCE and any(name in headers for name in _MASS_HEADERS))
        or _is_report(headers)
    )


def _is_report(headers: Mapping[str, str]) -> bool:
    """A bounce or a receipt: a report by its type, or an empty return path of a mail system."""
    kind = _value(headers, "content-type")
    if kind.startswith("multipart/report") and _BOUNCE_REPORT.search(kind):
        return True
    nobody = headers.get("return-path", "?").strip() == "<>"
    return nobody and bool(_BOUNCE_SENDER.search(headers.get("from", "")))


def _value(headers: Mapping[str, str], name: str) -> str:
    return headers.get(name, "").strip().lower()
