"""Of a labelled message only what its intent decides is sent, and judged by queue."""

from __future__ import annotations

import dataclasses

import pytest

from router.core.model_alone import ModelAlone, reachable
from router.core.prediction import FlagScore
from tests.core.policy_fixtures import POLICY, policy_of, prediction

FLAGGED = POLICY + "flags:\n  vulnerable: {queue: risk, threshold: 0.2}\n"
SURE = prediction({"card_arrival": 0.2, "card_broken": 0.1})


def test_a_message_is_sent_at_any_confidence_and_right_by_its_queue() -> None:
    alone = ModelAlone(policy_of(), {"en"})
    sent = alone.send("where is it", "en", "card_broken", SURE, in_scope=True)
    assert sent is not None
    assert (sent.queue, sent.confidence, sent.right) == ("cards", 0.2, True)
    other = alone.send("where is it", "en", "stolen_card", SURE, in_scope=True)
    assert other is not None
    assert not other.right


def test_what_is_out_of_scope_is_wrong_wherever_it_goes() -> None:
    policy = policy_of(POLICY.replace("otherwise: router.review", "otherwise: vip"))
    sent = ModelAlone(policy, {"en"}).send(
        "a poem", "en", "out_of_scope", prediction({"something": 0.9}), in_scope=False
    )
    assert sent is not None
    assert (sent.queue, sent.right) == ("vip", False)


@pytest.mark.parametrize(
    ("text", "language", "answer"),
    [
        ("hallo", "de", SURE),
        ("  ", "en", SURE),
        ("a poem", "en", dataclasses.replace(SURE, in_scope=0.39)),
        ("help", "en", dataclasses.replace(SURE, flags=(FlagScore("vulnerable", 0.2),))),
        ("odd", "en", prediction({"unknown": 0.9})),
    ],
    ids=["another language", "empty", "out of scope", "flagged", "no queue's"],
)
def test_what_the_intent_does_not_decide_is_not_sent(
    text: str, language: str, answer: object
) -> None:
    alone = ModelAlone(policy_of(FLAGGED), {"en"})
    assert isinstance(answer, type(SURE))
    assert alone.send(text, language, "card_arrival", answer, in_scope=True) is None


def test_the_same_text_is_always_set_aside_or_never_and_about_one_in_ten_is() -> None:
    alone = ModelAlone(policy_of(), {"en"})
    first, second = (
        [alone.send(f"text {i}", "en", "card_broken", SURE, in_scope=True) for i in range(500)]
        for _ in range(2)
    )
    assert first == second
    assert 30 <= sum(sent.apart for sent in first if sent) <= 70


def test_queues_that_only_rules_and_flags_reach_are_not_the_models() -> None:
    assert reachable(policy_of()) == ["fraud", "cards"]
    policy = policy_of(POLICY.replace("otherwise: router.review", "otherwise: vip"))
    assert reachable(policy) == ["fraud", "cards", "vip"]
