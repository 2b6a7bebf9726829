from __future__ import annotations

import hashlib
from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.core.policy_file import load_policy
from router.core.schema_problems import FileError
from router.errors import PolicyError
from router.policies import file_schema, open_policy
from router.resources import DEFAULT_POLICY
from tests.core.policy_fixtures import POLICY, policy_of

MANY_PROBLEMS = """\
schema: routing-policy/v1
name: My Policy
versio: "1"
defaults: {threshold: 2, in_scope: 0.5, priority: 3, due: 15}
review: {priority: 9, due: 2h}
queues:
  fraud:
    description: x
    intents: [a, b]
    tresholds: 0.5
  fraud: {description: y}
  review: {description: x, intents: [a]}
  idle: {description: nothing}
rules:
  - {name: one, when: {text: {words: ["a*"]}}, queue: fruad}
  - {name: one, when: {}, queue: fraud}
  - {name: two, when: {channel: sms}, queue: router.review}
otherwise: nowhere
"""


def problems(source: str) -> list[tuple[int, int, str]]:
    with pytest.raises(FileError) as raised:
        policy_of(source)
    return [(p.place.line, p.place.column, p.message) for p in raised.value.problems]


def changed(old: str, new: str) -> str:
    assert old in POLICY
    return POLICY.replace(old, new, 1)


def test_every_problem_is_named_with_its_place_in_order() -> None:
    assert problems(MANY_PROBLEMS) == [
        (1, 1, "version is missing"),
        (2, 7, "name must be a name of small letters, digits and single hyphens, at most 64 long"),
        (3, 1, "unknown key versio; did you mean version?"),
        (4, 23, "threshold must be a number from 0 to 1"),
        (4, 59, "due must be a time such as 45s, 15m, 4h or 2d"),
        (5, 20, "priority must be a whole number from 1 (now) to 5"),
        (10, 5, "unknown key tresholds; did you mean threshold?"),
        (11, 3, "fraud is given twice; the first is in line 7"),
        (12, 3, "review is reserved for the router's own topics: name the queue otherwise"),
        (12, 38, "intent a already goes to fraud (line 9): name it once"),
        (13, 3, "nothing can reach queue idle: no intent, rule or flag, and not the catch-all"),
        (15, 39, "a * stands only at a word's end, after at least 3 letters"),
        (15, 55, "no queue is called fruad; did you mean fraud?"),
        (16, 12, "rule one is already in line 15"),
        (16, 23, "when must not be empty"),
        (17, 33, "channel must be chat, email or a list of these"),
        (18, 12, "no queue is called nowhere"),
    ]


def test_the_error_is_a_policy_error_that_reads_like_a_compilers() -> None:
    with pytest.raises(PolicyError, match=r"^policy\.yaml:2:7: name must be"):
        policy_of(changed("name: small", "name: Small"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("otherwise: router.review\n", "", "otherwise is missing"),
        (
            "  vip: {description: Private clients.}",
            "  vip: {description: x}\n  review: {description: x, intents: [y]}",
            "reserved",
        ),
        ("intents: [stolen_card]", "intents: [card_arrival]", "already goes to"),
        ("intents: [stolen_card]", "intents: [x, x]", "already goes to fraud"),
        ('version: "7"', "version: 7", "put a number in quotes"),
        ("flag: fraud", "flags: fraud", "unknown key flags; did you mean flag?"),
        ("segment: private", "text: {words: [kill myself]}", "can never decide: risk-words"),
        ("words: [stole*]", "words: [stole*, STOLE*]", "same phrase"),
        ("words: [stole*]", "words: [stole*], excep: [x]", "did you mean except?"),
        ("{segment: private}", "{field: {name: a}}", "one of is, in and exists"),
        ("{segment: private}", "{field: {name: a, is: 1, in: [1]}}", "one of is, in and exists"),
        ("{segment: private}", "{field: {name: a..b, is: 1}}", "dotted path"),
        ("{segment: private}", "{all: []}", "not be empty"),
        ("{segment: private}", "{not: {any: [{}]}}", "not be empty"),
        ("{segment: private}", "{country: gb}", "two capital letters"),
        ("due: 5m", "due: 0m", "a time such as"),
        ("priority: 1, due: 5m", "priority: 1.5, due: 5m", "whole number"),
        ("in_scope: 0.4", "in_scope: high", "number from 0 to 1"),
    ],
)
def test_one_mistake_is_one_problem(old: str, new: str, message: str) -> None:
    (problem,) = problems(changed(old, new))
    assert message in problem[2]


def test_a_rule_whose_phrases_earlier_rules_take_can_never_decide() -> None:
    rules = """\
  - {name: one, when: {text: {words: [lost card, stolen card]}}, queue: fraud}
  - {name: two, when: {text: {words: [lost phone]}}, queue: fraud}
  - {name: three, when: {text: {words: [stolen card, lost phone]}}, queue: cards}
  - {name: four, when: {text: {words: [stolen card, stolen phone]}}, queue: cards}
"""
    source = POLICY + rules
    ((_, _, message),) = problems(source)
    assert message.startswith("rule three can never decide")


def test_a_rule_that_only_flags_may_repeat_a_condition() -> None:
    rule = "  - {name: again, when: {segment: private}, queue: vip, flag: vip}\n"
    assert policy_of(POLICY + rule).rules[-1].flag == "vip"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (b"", "this must be a mapping"),
        (b"[]", "this must be a mapping"),
        (b"a: 1\nb: \xff", "not UTF-8"),
        (b"a: [", "not YAML"),
    ],
)
def test_what_is_no_policy_at_all_is_refused(source: bytes, message: str) -> None:
    with pytest.raises(FileError, match=message):
        load_policy(source, "policy.yaml", file_schema("routing-policy.v1"))


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_refused_in_words(source: bytes) -> None:
    with pytest.raises(FileError):
        load_policy(source, "policy.yaml", file_schema("routing-policy.v1"))


@settings(deadline=None)
@given(st.integers(0, len(POLICY) - 1), st.text(st.sampled_from("{}[]:,x1 \n\"'#-&*"), max_size=4))
def test_a_garbled_policy_is_read_or_refused_in_words(place: int, garble: str) -> None:
    with suppress(FileError):
        policy_of(POLICY[:place] + garble + POLICY[place + len(garble) :])


def test_the_hash_is_of_the_files_bytes() -> None:
    policy = policy_of()
    assert policy.hash == hashlib.sha256(POLICY.encode()).hexdigest()
    assert (policy.name, policy.version) == ("small", "7")
    assert policy_of(POLICY + "# a word\n").hash != policy.hash


def test_the_default_policy_has_the_default_queues() -> None:
    policy = open_policy()
    assert list(policy.queues) == [
        "fraud", "vulnerable-customers", "complaints", "data-protection", "cards", "card-delivery",
        "account-access", "payments", "transfers", "top-ups", "cash", "exchange", "fees",
        "identity", "accounts", "general",
    ]  # fmt: skip
    assert len(policy.intents) == 94  # BANKING77's 77 and 17 of our own
    assert policy.queue_of("reverted_card_payment?") == "payments"
    assert policy.handling_of("fraud").due == timedelta(minutes=15)
    assert policy.otherwise == "router.review"


def test_the_default_policy_puts_a_customer_at_risk_first() -> None:
    queues = [rule.queue for rule in open_policy().rules]
    last_at_risk = max(n for n, queue in enumerate(queues) if queue == "vulnerable-customers")
    assert set(queues[: last_at_risk + 1]) == {"vulnerable-customers"}
    safety = queues[last_at_risk + 1 : last_at_risk + 4]
    assert safety == ["fraud", "complaints", "data-protection"]


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(PolicyError, match=r"absent\.yaml cannot be read"):
        open_policy(DEFAULT_POLICY.with_name("absent.yaml"))
