"""The schemas themselves: well formed, explained to their readers, and in step with the code."""

from __future__ import annotations

import uuid
from dataclasses import fields
from typing import Any, get_args

import jsonschema_rs
import pytest

from router.core.decision import Candidate, Decision, PolicyRef, Reason, Stage
from router.core.event import Author, RejectReason
from router.core.prediction import ModelRef
from router.core.record import Source
from router.core.topics import Channel
from tests.contract.contracts import (
    EVENTS,
    NAMES,
    Schema,
    examples,
    schema,
    subschemas,
    validator,
)

DESCRIBED = [(f"{name}{path}", inner) for name in NAMES for path, inner in subschemas(schema(name))]


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_draft_2020_12_and_well_formed(name: str) -> None:
    contract = schema(name)
    assert contract["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert contract["$id"] == f"urn:router:{name}:v1"
    assert contract["title"]
    assert contract["description"]
    jsonschema_rs.meta.validate(contract)


@pytest.mark.parametrize(("path", "inner"), DESCRIBED, ids=[path for path, _ in DESCRIBED])
def test_a_property_is_described(path: str, inner: Schema) -> None:
    assert inner["description"].endswith(".")
    if not path.endswith("*"):
        assert inner["examples"]
    for example in inner.get("examples", []):
        validator(inner).validate(example)


@pytest.mark.parametrize("name", NAMES)
def test_unknown_fields_are_welcome(name: str) -> None:
    first = examples("valid", name)[0].value
    assert validator(schema(name)).is_valid({**first, "a_field_of_tomorrow": {"deep": [1]}})


def _names(dataclass: Any) -> list[str]:
    return [field.name for field in fields(dataclass)]


def test_a_decisions_fields_are_the_dataclasss_in_its_order() -> None:
    contract = schema("routing-decision")
    assert list(contract["properties"]) == [*_names(Decision), "message"]
    assert contract["required"] == _names(Decision)


@pytest.mark.parametrize(
    ("field", "dataclass"), [("policy", PolicyRef), ("model", ModelRef), ("source", Source)]
)
def test_a_nested_objects_fields_are_its_dataclasss(field: str, dataclass: Any) -> None:
    inner = schema("routing-decision")["properties"][field]
    assert list(inner["properties"]) == _names(dataclass)
    assert inner["required"] == _names(dataclass)


def test_a_candidates_fields_are_its_dataclasss() -> None:
    items = schema("routing-decision")["properties"]["candidates"]["items"]
    assert list(items["properties"]) == _names(Candidate)
    # Decisions of the first release had no prediction set.
    assert items["required"] == [name for name in _names(Candidate) if name != "likely"]


def test_the_closed_lists_are_the_codes() -> None:
    decision = schema("routing-decision")["properties"]
    assert tuple(decision["reason"]["enum"]) == get_args(Reason)
    assert tuple(decision["channel"]["enum"]) == get_args(Channel)
    assert tuple(decision["timings"]["properties"]) == get_args(Stage)
    refusal = schema("dead-letter-headers")["properties"]
    assert tuple(refusal["router-reason"]["enum"]) == get_args(RejectReason)


@pytest.mark.parametrize("name", EVENTS)
def test_the_authors_are_the_codes(name: str) -> None:
    assert schema(name)["properties"]["author"]["enum"] == [*get_args(Author), None]


def test_the_two_events_describe_what_they_share_alike() -> None:
    chat, email = (schema(name)["properties"] for name in EVENTS)
    shared = {"event_id", "customer_id", "locale", "country", "product", "segment", "attachments"}
    assert shared <= chat.keys() & email.keys()
    for name in shared:
        assert {**chat[name], "examples": []} == {**email[name], "examples": []}


@pytest.mark.parametrize("example", examples("valid", "routing-decision"), ids=str)
def test_an_examples_decision_id_is_made_as_documented(example: Any) -> None:
    source = example.value["source"]
    coordinates = f"{source['topic']}/{source['partition']}/{source['offset']}"
    assert example.value["decision_id"] == str(uuid.uuid5(uuid.NAMESPACE_URL, coordinates))
