"""What HTML's tags and attributes mean to a reader of mail."""

from __future__ import annotations

import re
from typing import Literal

_VOID = "area base br col embed hr img input link meta param source track wbr"
_BLOCK = (
    "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset"
    " figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr html legend li main menu nav ol p"
    " pre section summary table tbody td tfoot th thead tr ul"
)

Role = Literal["quote", "hidden", "separator", "signature"]

VOID = frozenset(_VOID.split())
RAW = frozenset(("script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes"))
"""Their contents are no markup, and nothing that a customer wrote."""
HIDDEN = frozenset(("head", "template", "svg", "math", "object", "select", "audio", "video"))
HEAD = frozenset(("base", "link", "meta", "noscript", "script", "style", "template", "title"))
CELLS = frozenset(("td", "th"))
BLOCK = frozenset(_BLOCK.split())
CLOSES_ITSELF = frozenset(("p", "li", "td", "th", "tr", "dd", "dt", "option"))
"""A new one ends the one before it where its end tag was left out."""

_ATTRIBUTE = re.compile(
    r"([a-z][a-z-]*+)(?:\s*+=\s*+(?:\"([^\"]*+)\"?|'([^']*+)'?|([^\s\"'>]++)))?", re.IGNORECASE
)
_READ = 2_000
_TELLING = re.compile(r"class|style|\bid\b|hidden|type", re.IGNORECASE)

_QUOTE_NAMES = frozenset(
    ("gmail_quote", "gmail_quote_container", "gmail_extra", "yahoo_quoted", "protonmail_quote",
     "moz-cite-prefix", "zmail_extra", "tutanota_quote", "mail_quote", "quote")
)  # fmt: skip
_SEPARATOR_NAMES = frozenset(
    ("divrplyfwdmsg", "appendonsend", "olk_src_body_section", "outlookmessageheader",
     "ms-outlook-mobile-reference-message", "mail-editor-reference-message-container")
)  # fmt: skip
_SIGNATURE_NAMES = frozenset(
    ("gmail_signature", "moz-signature", "signature", "ms-outlook-mobile-signature",
     "protonmail_signature_block")
)  # fmt: skip
_HIDING = re.compile(
    r"display:none|visibility:hidden|mso-hide:all|font-size:0(?:px|pt|em|%)?(?![.\d])"
    r"|max-height:0(?:px)?(?![.\d])|opacity:0(?![.\d])"
)
_OUTLOOK_BORDER = re.compile(r"border-top:solid#(?:e1e1e1|b5c4df)")


def role_of(name: str, attributes: str) -> Role | None:
    """What an element does to the text in it, told by its name, class, id and style."""
    if name in HIDDEN:
        return "hidden"
    if attributes and _TELLING.search(attributes, 0, _READ):
        return _told(attributes) or ("quote" if name == "blockquote" else None)
    return "quote" if name == "blockquote" else None


def _told(attributes: str) -> Role | None:
    given = {
        match[1].lower(): (match[2] or match[3] or match[4] or "").lower()
        for match in _ATTRIBUTE.finditer(attributes[:_READ])
    }
    style = "".join(given.get("style", "").split())
    if "hidden" in given or _HIDING.search(style):
        return "hidden"
    names = {
        name.removeprefix("x_")
        for name in f"{given.get('class', '')} {given.get('id', '')}".split()
    }
    if names & _QUOTE_NAMES:
        return "quote"
    if names & _SEPARATOR_NAMES or _OUTLOOK_BORDER.search(style):
        return "separator"
    return "signature" if names & _SIGNATURE_NAMES else None
