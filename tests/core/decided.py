"""A message decided on by a policy of a few queues."""

from __future__ import annotations

from dataclasses import replace

from router.core.circumstances import Circumstances
from router.core.deciding import decide
from router.core.decision import Decision
from router.core.event import ChatMessage
from router.core.prediction import Prediction
from router.core.record import Source
from tests.core.policy_fixtures import MODEL, POLICY, TIME, message, policy_of, text_of

SOURCE = Source("messages.chat", 3, 41)
AROUND = Circumstances(
    policy=policy_of(),
    model=MODEL,
    languages=frozenset({"en", "de"}),
    decided_at=TIME,
    timings={"infer": 0.5},
    router_version="1.2",
)


def decided(
    words: str = "hello",
    answer: Prediction | None = None,
    *,
    event: ChatMessage | None = None,
    language: str = "en",
    around: Circumstances = AROUND,
) -> Decision:
    event = event or message(words)
    text = text_of(words, language)
    return decide(
        event=event,
        source=SOURCE,
        text=text,
        matched=around.policy.match(event, text),
        prediction=answer,
        around=around,
    )


def with_policy(old: str, new: str) -> Circumstances:
    assert old in POLICY
    return replace(AROUND, policy=policy_of(POLICY.replace(old, new)))
