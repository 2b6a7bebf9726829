from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.core.conditions import Matcher
from router.core.policy_file import parse_condition


def holds(when: dict[str, Any], text: str = "", **fields: Any) -> bool:
    facts: Any = {name: fields.pop(name, None) for name in ("channel", "language", "country")}
    return Matcher([parse_condition(when)]).match(text, facts, fields) == [0]


def words(*phrases: str) -> dict[str, Any]:
    return {"text": {"words": list(phrases)}}


def field(name: str, **test: Any) -> dict[str, Any]:
    return {"field": {"name": name, **test}}


def test_all_needs_every_part() -> None:
    when = {"all": [words("card"), words("stolen")]}
    assert holds(when, "stolen card")
    assert not holds(when, "card")


def test_any_needs_one_part() -> None:
    when = {"any": [words("card"), words("stolen")]}
    assert holds(when, "card")
    assert not holds(when, "phone")


def test_not_holds_where_its_part_does_not() -> None:
    assert holds({"not": words("card")}, "phone")
    assert holds({"not": words("card")}, "")
    assert not holds({"not": words("card")}, "card")


def test_several_keys_must_all_hold() -> None:
    when = {"channel": "email", "language": ["de", "fr"]}
    assert holds(when, channel="email", language="fr")
    assert not holds(when, channel="chat", language="fr")
    assert not holds(when, channel="email", language=None)


def test_facts_ignore_case() -> None:
    assert holds({"country": "GB"}, country="gb")


@pytest.mark.parametrize(
    ("test", "value"),
    [
        ({"is": 1}, 1),
        ({"is": 1}, 1.0),
        ({"is": True}, True),
        ({"is": None}, None),
        ({"is": "x"}, "x"),
        ({"in": ["x", 2]}, 2),
        ({"exists": True}, {"any": "thing"}),
    ],
)
def test_a_field_is_compared_by_type_and_value(test: dict[str, Any], value: Any) -> None:
    assert holds(field("a", **test), a=value)


@pytest.mark.parametrize(
    ("test", "value"),
    [
        ({"is": 1}, True),
        ({"is": True}, 1),
        ({"is": 0}, False),
        ({"is": "1"}, 1),
        ({"is": None}, 0),
        ({"is": "x"}, ["x"]),
        ({"in": ["x", 2]}, "y"),
        ({"exists": False}, None),
    ],
)
def test_a_field_of_another_type_or_value_is_not_equal(test: dict[str, Any], value: Any) -> None:
    assert not holds(field("a", **test), a=value)


def test_a_dotted_path_walks_into_objects_and_lists() -> None:
    attachments = [{"size": 3}, {"size": 4}]
    assert holds(field("attachments.1.size", **{"is": 4}), attachments=attachments)
    assert not holds(field("attachments.2.size", **{"is": 4}), attachments=attachments)
    assert not holds(field("attachments.x.size", exists=True), attachments=attachments)
    assert holds(field("attachments.1.size.x", exists=False), attachments=attachments)


def test_a_missing_field_equals_nothing() -> None:
    assert not holds(field("a", **{"is": None}))
    assert holds(field("a", exists=False))


def test_equal_looking_values_of_two_rules_stay_apart() -> None:
    conditions = [parse_condition(field("a", **{"is": value})) for value in (1, True)]
    matcher = Matcher(conditions)
    assert matcher.match("", {}, {"a": 1}) == [0]
    assert matcher.match("", {}, {"a": True}) == [1]


LEAVES = st.one_of(
    st.sampled_from(["card", "stolen", "phone"]).map(words),
    st.sampled_from(["GB", "DE"]).map(lambda country: {"country": country}),
    st.sampled_from([1, True, "x"]).map(lambda value: field("a", **{"is": value})),
    st.booleans().map(lambda exists: field("b", exists=exists)),
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda below: st.one_of(
        st.lists(below, min_size=1, max_size=3).map(lambda parts: {"all": parts}),
        st.lists(below, min_size=1, max_size=3).map(lambda parts: {"any": parts}),
        below.map(lambda part: {"not": part}),
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(
    st.lists(CONDITIONS, max_size=5),
    st.sets(st.sampled_from(["card", "stolen", "phone"])),
    st.sampled_from(["GB", "DE", None]),
    st.sampled_from([{}, {"a": 1}, {"a": True, "b": None}, {"a": "x", "b": 0}]),
)
def test_matching_all_rules_at_once_is_evaluating_each(
    rules: list[dict[str, Any]],
    present: set[str],
    country: str | None,
    fields: dict[str, Any],
) -> None:
    matcher = Matcher([parse_condition(rule) for rule in rules])
    expected = [i for i, rule in enumerate(rules) if _plainly(rule, present, country, fields)]
    assert matcher.match(" ".join(sorted(present)), {"country": country}, fields) == expected


def _plainly(
    when: dict[str, Any], present: set[str], country: str | None, fields: dict[str, Any]
) -> bool:
    key, value = next(iter(when.items()))
    if key in {"all", "any"}:
        each = [_plainly(part, present, country, fields) for part in value]
        return all(each) if key == "all" else any(each)
    if key == "not":
        return not _plainly(value, present, country, fields)
    if key == "text":
        return value["words"][0] in present
    if key == "country":
        return bool(country == value)
    if "exists" in value:
        return bool((value["name"] in fields) == value["exists"])
    given_value = fields.get(value["name"])
    return type(given_value) is type(value["is"]) and bool(given_value == value["is"])


def test_two_thousand_rules_cost_about_as_much_as_twenty() -> None:
    text = "my card is lost and the payment of last week is still pending, please help me " * 5
    few, many = (_seconds_to_match(text, rules) for rules in (20, 2_000))
    assert many < 5 * few


def _seconds_to_match(text: str, rules: int) -> float:
    """Of three runs the shortest: other work on the machine only ever adds."""
    whens = [
        {"language": "en", "text": {"words": [f"my card number{n}", f"lost item{n}", f"odd{n}*"]}}
        for n in range(rules)
    ]
    matcher = Matcher([parse_condition(when) for when in whens])
    runs = []
    for _ in range(3):
        start = time.process_time()
        for _ in range(100):
            assert matcher.match(text, {"language": "en"}, {}) == []
        runs.append(time.process_time() - start)
    return min(runs)
