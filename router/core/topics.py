"""The topics by role, and which channel an input topic carries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Channel = Literal["chat", "email"]

REVIEW = "router.review"
DEAD_LETTER = "router.dead-letter"
IGNORED = "router.ignored"
"""Outcomes as a decision's ``queue`` names them, whatever their topics are called."""


@dataclass(frozen=True, slots=True)
class Topics:
    """Full topic names, the prefix included. ``queue_pattern`` holds ``{queue}`` once."""

    chat: str = "messages.chat"
    email: str = "messages.email"
    queue_pattern: str = "queue.{queue}"
    review: str = "router.review"
    decisions: str = "router.decisions"
    dead_letter: str = "router.dead-letter"
    feedback: str = "router.feedback"
    replays: str = "router.replays"

    @property
    def inputs(self) -> tuple[str, str]:
        return (self.chat, self.email)

    def channel(self, topic: str) -> Channel:
        """The channel an input topic carries.

        Raises:
            KeyError: the topic is not one of the inputs.
        """
        if topic == self.chat:
            return "chat"
        if topic == self.email:
            return "email"
        raise KeyError(topic)

    def of_queue(self, queue: str) -> str:
        """The topic that a queue's consumers subscribe to (``router.review`` included)."""
        return self.review if queue == REVIEW else self.queue_pattern.replace("{queue}", queue)

    def outputs(self, queues: Iterable[str]) -> tuple[str, ...]:
        """Every topic the worker publishes to under a policy with these queues."""
        fixed = (self.review, self.decisions, self.dead_letter)
        return (*(self.of_queue(queue) for queue in queues), *fixed)
