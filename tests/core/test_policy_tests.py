from __future__ import annotations

import pytest

from router.core.policy_tests import CaseResult, load_cases, run_case
from router.core.schema_problems import FileError
from router.policies import file_schema, open_policy
from router.resources import DEFAULT_POLICY
from tests.core.policy_fixtures import policy_of

SCHEMA = "routing-policy-tests.v1"
HEAD = "schema: routing-policy-tests/v1\nmodel_languages: [en]\ntests:\n"


def run(test: str) -> CaseResult:
    policy = policy_of()
    source = f"{HEAD}  - {{name: one, {test}}}\n"
    (case,) = load_cases(source.encode(), "tests.yaml", file_schema(SCHEMA), policy)
    return run_case(case, policy)


@pytest.mark.parametrize(
    "test",
    [
        "text: hello, prediction: {card_arrival: 0.9}, expect: {queue: cards, reason: intent}",
        "text: hello, prediction: {card_broken: 0.1, card_arrival: 0.6}, expect: {queue: cards}",
        "text: hello, expect: {queue: router.review, reason: model_unavailable, rule: null}",
        "text: hello, language: de, expect: {reason: language}",
        "text: hello, prediction: {card_arrival: 1}, in_scope: 0.3, expect: {reason: out_of_scope}",
        "text: stole it, event: {segment: private}, expect: {rule: vip-segment, flags: [fraud]}",
        "event: {segment: private}, channel: email, expect: {queue: vip, priority: 2}",
        "expect: {reason: empty, flags: []}",
    ],
)
def test_a_test_that_is_right_passes(test: str) -> None:
    assert run(test).differences == ()


def test_a_test_that_is_wrong_says_what_was_expected_and_what_came() -> None:
    result = run("text: they stole it, expect: {queue: cards, flags: [], rule: theft-words}")
    got = [(d.field, d.expected, d.got) for d in result.differences]
    assert got == [("queue", "cards", "fraud"), ("flags", [], ["fraud"])]
    assert "theft-words" in result.explanation


@pytest.mark.parametrize(
    ("tests", "message"),
    [
        ("  - {name: a, expect: {queue: card}}", "3:31: the policy has no queue card; did you"),
        ("  - {name: a, expect: {rule: theft}}", "no rule theft"),
        ("  - {name: a, expect: {}}", "expect must not be empty"),
        ("  - {name: a, expect: {reason: luck}}", "reason must be one of intent"),
        ("  - {name: a, txt: x, expect: {priority: 1}}", "unknown key txt; did you mean text?"),
        (
            "  - {name: a, expect: {priority: 1}}\n  - {name: a, expect: {priority: 1}}",
            "the test in line 3 has the same name",
        ),
        ("  []", "tests must not be empty"),
    ],
)
def test_a_tests_file_that_is_wrong_is_refused_with_its_lines(tests: str, message: str) -> None:
    source = f"schema: routing-policy-tests/v1\ntests:\n{tests}\n"
    with pytest.raises(FileError) as raised:
        load_cases(source.encode(), "tests.yaml", file_schema(SCHEMA), policy_of())
    assert message in str(raised.value)


def test_the_default_policy_passes_its_own_tests() -> None:
    policy = open_policy()
    path = DEFAULT_POLICY.with_suffix(".tests.yaml")
    cases = load_cases(path.read_bytes(), path.name, file_schema(SCHEMA), policy)
    results = [run_case(case, policy) for case in cases]
    assert [(r.case.name, r.differences) for r in results if r.differences] == []
    assert len(cases) >= 60


def test_the_default_policys_tests_reach_each_of_its_rules() -> None:
    policy = open_policy()
    path = DEFAULT_POLICY.with_suffix(".tests.yaml")
    cases = load_cases(path.read_bytes(), path.name, file_schema(SCHEMA), policy)
    expected = {case.expected.get("rule") for case in cases} - {None}
    assert expected == {rule.name for rule in policy.rules}
