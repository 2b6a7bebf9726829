"""Every example against its schema: the valid ones pass, the invalid ones say where they fail."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema_rs
import pytest

from router.resources import SCHEMAS
from tests.contract.contracts import NAMES, Example, Fault, examples, faults, schema, validator


@pytest.mark.parametrize("example", examples("valid"), ids=str)
def test_a_valid_example_passes(example: Example) -> None:
    assert faults(schema(example.contract), example.value) == set()


@pytest.mark.parametrize("example", examples("invalid"), ids=str)
def test_an_invalid_example_is_refused_for_its_field_and_reason(example: Example) -> None:
    found = faults(schema(example.contract), example.value)
    assert example.fault in found
    assert example.fault is not None
    top = example.fault.field.split(".", 1)[0]
    either_or = {"subject", "body_text"} if example.contract == "email-message" else set()
    assert {fault.field.split(".", 1)[0] for fault in found} <= {top} | either_or


@pytest.mark.parametrize("name", NAMES)
def test_every_contract_has_examples_of_both_sorts(name: str) -> None:
    assert examples("valid", name)
    assert examples("invalid", name)


def test_every_example_file_is_read() -> None:
    found = [path for path in (SCHEMAS / "examples").rglob("*") if path.is_file()]
    files = {path.relative_to(SCHEMAS) for path in found}
    read = {
        Path("examples", kind, f"{example.contract}.v1", f"{example.name}.json")
        for kind, shown in (("valid", examples("valid")), ("invalid", examples("invalid")))
        for example in shown
    }
    assert files == read


@pytest.mark.parametrize("example", examples("invalid"), ids=str)
def test_an_invalid_example_says_why_in_a_sentence(example: Example) -> None:
    folder = SCHEMAS / "examples" / "invalid" / f"{example.contract}.v1"
    why = json.loads((folder / f"{example.name}.json").read_text(encoding="utf-8"))["why"]
    assert why[0].isupper()
    assert why.endswith(".")


def test_format_is_asserted_not_just_annotated() -> None:
    chat = schema("chat-message")
    bad = next(e for e in examples("invalid", "chat-message") if e.name == "time-in-words")
    assert jsonschema_rs.Draft202012Validator(chat).is_valid(bad.value)
    assert faults(chat, bad.value) == {Fault("invalid_value", "time")}


@pytest.mark.parametrize("name", NAMES)
def test_the_schemas_own_examples_pass(name: str) -> None:
    contract = schema(name)
    for value in contract.get("examples", []):
        assert faults(contract, value) == set()


def _definition(name: str) -> jsonschema_rs.Draft202012Validator:
    return validator({**schema("routing-decision"), "$ref": f"#/$defs/{name}"})


@pytest.mark.parametrize("example", examples("valid", "routing-decision"), ids=str)
def test_a_decision_is_either_queued_with_its_message_or_logged_without(example: Example) -> None:
    queued = "message" in example.value
    assert _definition("queued").is_valid(example.value) is queued
    assert _definition("logged").is_valid(example.value) is not queued


@pytest.mark.parametrize("example", examples("valid", "routing-decision"), ids=str)
def test_an_examples_message_is_a_valid_event(example: Example) -> None:
    if "message" in example.value:
        contract = schema(f"{example.value['channel']}-message")
        assert faults(contract, example.value["message"]) == set()


def test_there_is_a_decision_of_every_reason() -> None:
    shown = {example.value["reason"] for example in examples("valid", "routing-decision")}
    assert shown == set(schema("routing-decision")["properties"]["reason"]["enum"])


def test_there_is_a_dead_letter_of_every_reason() -> None:
    shown = {e.value["router-reason"] for e in examples("valid", "dead-letter-headers")}
    assert shown == set(schema("dead-letter-headers")["properties"]["router-reason"]["enum"])
