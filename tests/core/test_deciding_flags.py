"""Flags: the gravest decides, whoever raised it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from router.core.circumstances import Circumstances
from router.core.deciding import asks_model
from router.core.prediction import FlagScore, Prediction
from tests.core.decided import AROUND, decided, with_policy
from tests.core.policy_fixtures import message, prediction, text_of

FLAGS = """flags:
  vulnerable: {queue: risk, threshold: 0.3, due: 5m}
  fraud: {queue: fraud, threshold: 0.5}"""


def flagged(**flags: float) -> Prediction:
    scores = tuple(FlagScore(name, probability) for name, probability in flags.items())
    return replace(prediction({"card_arrival": 0.99}, in_scope=0.0), flags=scores)


def test_a_flag_of_the_models_decides_whatever_else_is_asked_and_both_are_shown() -> None:
    around = with_policy("queues:", f"{FLAGS}\nqueues:")
    decision = decided(answer=flagged(vulnerable=0.3, fraud=0.49), around=around)
    assert (decision.queue, decision.reason, decision.rule) == ("risk", "flag", None)
    assert (decision.flags, decision.intent) == (("vulnerable",), "card_arrival")
    assert decision.due_at == decision.time + timedelta(minutes=5)
    assert "30%" in decision.explanation


def test_the_gravest_flag_decides_and_all_are_shown_in_the_policys_order() -> None:
    around = with_policy("queues:", f"{FLAGS}\nqueues:")
    decision = decided("They stole it", flagged(fraud=0.9, vulnerable=0.9), around=around)
    assert (decision.queue, decision.flags) == ("risk", ("vulnerable", "fraud"))


def test_a_rule_that_raises_the_same_flag_decides_with_its_own_handling() -> None:
    around = with_policy("queues:", f"{FLAGS}\nqueues:")
    decision = decided("They stole it", flagged(fraud=0.9), around=around)
    assert (decision.rule, decision.flags) == ("theft-words", ("fraud",))


def test_a_flag_comes_before_a_rule_that_raises_none() -> None:
    around = with_policy("queues:", f"{FLAGS}\nqueues:")
    event = message("hi", segment="private")
    assert decided(event=event, answer=flagged(fraud=0.9), around=around).queue == "fraud"
    assert decided(event=event, answer=flagged(fraud=0.1), around=around).queue == "vip"


def test_a_flag_that_the_policy_does_not_name_is_not_acted_on() -> None:
    decision = decided(answer=flagged(vulnerable=1.0))
    assert (decision.reason, decision.flags) == ("out_of_scope", ())


def test_the_model_is_asked_where_a_graver_flag_than_the_rules_could_come() -> None:
    around = with_policy("queues:", f"{FLAGS}\nqueues:")

    def asks(words: str, given: Circumstances, language: str = "en", **model: str) -> bool:
        text = text_of(words, language)
        flags = frozenset(model) or frozenset({"vulnerable", "fraud"})
        circumstances = replace(given, model_flags=flags)
        return asks_model(text, circumstances.policy.match(message(), text), circumstances)

    assert asks("hello", around)
    assert asks("They stole it", around)
    assert not asks("They stole it", AROUND)
    assert not asks("They stole it", around, fraud="is all that this model knows")
    assert not asks("kill myself", around)
    assert not asks("They stole it", around, "sv")
    assert not asks("", around)
