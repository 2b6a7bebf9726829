"""The invented messages, read from ``messages/``: what a bank's customers might write in a day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from router.core.topics import Channel

_FOLDER = Path(__file__).parent / "messages"


@dataclass(frozen=True, slots=True)
class Message:
    """One message before it has ids and a time. ``kind`` is the queue it was written for, or
    what is special about it; it is never sent. ``fields`` are the event's own."""

    channel: Channel
    kind: str
    author: str
    locale: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """What a person sees of it in a list."""
        for name in ("text", "subject", "body_text", "body_html", "raw"):
            if text := " ".join(str(self.fields.get(name) or "").split()):
                return text
        return ""


Conversation = tuple[Message, ...]


def conversations() -> tuple[Conversation, ...]:
    """Every conversation of the corpus, in the files' order."""
    return (*_chats(), *_emails())


def _chats() -> Iterator[Conversation]:
    conversation: list[Message] = []
    for line in (_FOLDER / "chats.txt").read_text(encoding="utf-8").split("\n"):
        if not line or line.startswith("#"):
            continue
        first, second, text = line.split("|", 2)
        if first == "+":
            begun = conversation[0]
            message = Message("chat", begun.kind, second, begun.locale, {"text": text})
        else:
            if conversation:
                yield tuple(conversation)
            conversation = []
            message = Message("chat", first, "customer", second, {"text": text})
        conversation.append(message)
    yield tuple(conversation)


def _emails() -> Iterator[Conversation]:
    with (_FOLDER / "emails.yaml").open(encoding="utf-8") as file:
        entries: list[dict[str, Any]] = yaml.safe_load(file)
    for entry in entries:
        kind, locale = entry.pop("kind"), entry.pop("locale")
        author = entry.pop("author", "customer")
        yield (Message("email", kind, author, locale, entry),)
