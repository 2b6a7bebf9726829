from __future__ import annotations

from datetime import timedelta

from router.core.policy import Handling, check_policy_against_model
from tests.core.policy_fixtures import POLICY, message, policy_of, text_of

INTENTS = ("stolen_card", "card_arrival", "card_broken")


def test_the_first_rule_that_matches_decides_and_every_flag_is_kept() -> None:
    words = text_of("They stole my card and I will kill myself")
    matched = policy_of().match(message(segment="private"), words)
    assert matched.rule is not None
    assert matched.rule.name == "risk-words"
    assert list(matched.flags) == ["vulnerable", "fraud"]


def test_a_rule_without_a_flag_adds_none() -> None:
    matched = policy_of().match(message(segment="Private"), text_of("hello"))
    assert matched.rule is not None
    assert matched.rule.name == "vip-segment"
    assert not matched.flags


def test_nothing_matches_an_ordinary_message() -> None:
    assert policy_of().match(message(), text_of("hello")).rule is None


def test_an_intent_without_a_queue_goes_to_the_catch_all() -> None:
    policy = policy_of(POLICY.replace("otherwise: router.review", "otherwise: vip"))
    assert policy.queue_of("mortgage") == "vip"
    assert policy.queue_of("stolen_card") == "fraud"


def test_a_queue_keeps_its_own_threshold_and_takes_the_rest_from_the_defaults() -> None:
    policy = policy_of()
    assert policy.threshold_of("fraud") == 0.3
    assert policy.threshold_of("cards") == 0.5
    assert policy.handling_of("cards") == Handling(3, timedelta(days=1))
    assert policy.handling_of("router.review") == Handling(2, timedelta(hours=2))


def test_a_rule_takes_from_its_queue_what_it_does_not_say() -> None:
    rules = {rule.name: rule.handling for rule in policy_of().rules}
    assert rules["risk-words"] == Handling(1, timedelta(minutes=5))
    assert rules["vip-segment"] == Handling(2, timedelta(days=1))


def test_a_policy_that_fits_its_model_gets_no_warning() -> None:
    assert check_policy_against_model(policy_of(), INTENTS) == []


def test_an_intent_that_the_model_lacks_is_named_with_the_nearest() -> None:
    (first, second) = check_policy_against_model(
        policy_of(), ("stolen_card", "card_arrivals", "card_broken")
    )
    assert "card_arrival, which queue cards takes (did you mean card_arrivals?)" in first
    assert "card_arrivals: it goes to router.review" in second


def test_a_language_that_the_model_does_not_read_is_named() -> None:
    policy = policy_of(POLICY.replace("queues:", "languages: [en, de]\nqueues:"))
    (warning,) = check_policy_against_model(policy, INTENTS, {"en"})
    assert "language de" in warning
