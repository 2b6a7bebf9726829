"""A batch of events to messages: each is cleaned, all their languages are told at once, and each
is looked up in the policy's rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from router.core.authorship import why_ignored
from router.core.deciding import IgnoreReason
from router.core.event import Event, Rejected
from router.core.policy import Policy
from router.core.reading import Cleaned, clean
from router.core.record import InRecord
from router.core.safely import Safely
from router.core.shadowing import Message
from router.core.text import LanguageStep
from router.core.values import value


@value(frozen=True, slots=True)
class Ignored:
    """An event that nobody need answer."""

    event: Event
    reason: IgnoreReason


@dataclass(frozen=True, slots=True)
class BatchReading:
    """How a batch is read; a fault is that record's alone."""

    policy: Policy
    languages: LanguageStep
    safely: Safely

    def read(
        self, records: Sequence[InRecord], parsed: Sequence[Event | Rejected]
    ) -> list[Message | Ignored | Rejected]:
        """For each of ``records`` what there is to decide; ``parsed`` are their events."""
        safely = self.safely
        cleaned = [safely(r, _clean, event) for r, event in zip(records, parsed, strict=True)]
        languages = iter(self._languages(records, cleaned))
        return [
            safely(record, self._message, one, next(languages)) if isinstance(one, Cleaned) else one
            for record, one in zip(records, cleaned, strict=True)
        ]

    def _languages(
        self, records: Sequence[InRecord], cleaned: Sequence[object]
    ) -> list[str | Rejected]:
        """Of the cleaned ones, in order. Where the step fails on them together it is asked for
        each alone: one bad text must not cost its batch mates their decision."""
        asked = [
            (record, one)
            for record, one in zip(records, cleaned, strict=True)
            if isinstance(one, Cleaned)
        ]
        if not asked:
            return []
        try:
            return [*self._told([one for _, one in asked])]
        except Exception as error:
            alone = [self.safely(record, self._language, one) for record, one in asked]
            if not any(isinstance(language, Rejected) for language in alone):
                self.safely.on_fault(str(asked[0][0].source), error)
            return alone

    def _told(self, texts: Sequence[Cleaned]) -> list[str]:
        told = self.languages.languages_of(
            [one.spoken for one in texts], [one.event.locale for one in texts]
        )
        if len(told) != len(texts):
            raise ValueError("the language step named another number of languages than texts")
        return told

    def _language(self, text: Cleaned) -> str:
        return self._told([text])[0]

    def _message(self, cleaned: Cleaned, language: str | Rejected) -> Message | Rejected:
        if isinstance(language, Rejected):
            return language
        text = cleaned.in_language(language)
        return Message(cleaned.event, text, self.policy.match(cleaned.event, text))


def _clean(event: Event | Rejected) -> Cleaned | Ignored | Rejected:
    if isinstance(event, Rejected):
        return event
    if reason := why_ignored(event):
        return Ignored(event, reason)
    return clean(event)
