"""The contracts as they are against the copy of the last released ones."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest

from router.resources import SCHEMAS
from tests.contract.compatibility import Break, Schema, breaks
from tests.contract.contracts import NAMES, examples, faults, schema

RELEASED = SCHEMAS / "released" / "v1"

Edit = Callable[[Schema], object]


@pytest.mark.parametrize("name", NAMES)
def test_nothing_released_is_broken(name: str) -> None:
    assert breaks(schema(name, RELEASED), schema(name)) == []


def test_every_contract_has_a_released_copy() -> None:
    released = {path.name for path in RELEASED.iterdir()}
    assert released == {f"{name}.v1.json" for name in NAMES}


def _text(contract: Schema) -> Schema:
    inner: Schema = contract["properties"]["text"]
    return inner


BROKEN: dict[str, tuple[str, Edit, Break]] = {
    "an event's property is removed": (
        "chat-message",
        lambda s: s["properties"].pop("locale"),
        Break("$.locale", "property removed: readers and writers use it"),
    ),
    "a decision's property is removed": (
        "routing-decision",
        lambda s: s["properties"].pop("candidates"),
        Break("$.candidates", "property removed: readers and writers use it"),
    ),
    "upstream must send what it did not": (
        "chat-message",
        lambda s: s["required"].append("customer_id"),
        Break("$.customer_id", "newly required: older writers leave it out"),
    ),
    "a new property is required from the start": (
        "email-message",
        lambda s: (
            s["properties"].update(mailbox={"type": "string"}),
            s["required"].append("mailbox"),
        ),
        Break("$.mailbox", "newly required: older writers leave it out"),
    ),
    "a decision may come without its reason": (
        "routing-decision",
        lambda s: s["required"].remove("reason"),
        Break("$.reason", "no longer required: readers count on it"),
    ),
    "a type is narrowed": (
        "email-message",
        lambda s: s["properties"]["to"].update(type=["array", "null"]),
        Break("$.to", "type narrowed: writers send string"),
    ),
    "a type is widened": (
        "routing-decision",
        lambda s: s["properties"]["priority"].update(type=["integer", "null"]),
        Break("$.priority", "type widened: readers do not expect null"),
    ),
    "an enum is narrowed": (
        "chat-message",
        lambda s: s["properties"]["author"]["enum"].remove("bot"),
        Break("$.author", "enum narrowed: writers send the value taken away"),
    ),
    "a closed enum is widened": (
        "chat-message",
        lambda s: s["properties"]["author"]["enum"].append("supervisor"),
        Break("$.author", "enum widened: readers were told the list is closed"),
    ),
    "an open enum loses a value": (
        "routing-decision",
        lambda s: s["properties"]["reason"]["enum"].remove("fallback"),
        Break("$.reason", "enum narrowed: writers send the value taken away"),
    ),
    "a closed enum is opened after the fact": (
        "chat-message",
        lambda s: s["properties"]["author"].update({"x-open": "More may come."}),
        Break("$.author", "x-open added: readers were told the list is closed"),
    ),
    "a format is asked for": (
        "email-message",
        lambda s: s["properties"]["from"].update(format="email"),
        Break("$.from", "format added: writers may break it"),
    ),
    "a format is dropped": (
        "dead-letter-headers",
        lambda s: s["properties"]["router-time"].pop("format"),
        Break("$.router-time", "format removed: readers may rely on it"),
    ),
    "a pattern is changed": (
        "chat-message",
        lambda s: s["properties"]["country"].update(pattern="^[A-Z]{3}$"),
        Break("$.country", "pattern changed"),
    ),
    "a maximum is lowered": (
        "email-message",
        lambda s: s["properties"]["thread_id"].update(maxLength=128),
        Break("$.thread_id", "maxLength lowered: writers go beyond it"),
    ),
    "a maximum is raised": (
        "routing-decision",
        lambda s: s["properties"]["confidence"].update(maximum=100),
        Break("$.confidence", "maximum raised: readers do not expect what is beyond it"),
    ),
    "a minimum is raised": (
        "chat-message",
        lambda s: s["properties"]["event_id"].update(minLength=8),
        Break("$.event_id", "minLength raised: writers go beyond it"),
    ),
    "a minimum is made": (
        "chat-message",
        lambda s: _text(s).update(minLength=1),
        Break("$.text", "minLength added: writers may break it"),
    ),
    "unknown fields are forbidden": (
        "chat-message",
        lambda s: s.update(additionalProperties=False),
        Break("$", "additionalProperties closed: writers may add what they like"),
    ),
    "unknown fields of an attachment are forbidden": (
        "email-message",
        lambda s: s["properties"]["attachments"]["items"].update(additionalProperties=False),
        Break("$.attachments.*", "additionalProperties closed: writers may add what they like"),
    ),
    "the schema gets another name": (
        "chat-message",
        lambda s: s.update({"$id": "urn:router:chat:v1"}),
        Break("$", "$id changed"),
    ),
    "the version is another": (
        "email-message",
        lambda s: s["properties"]["schema"].update(const="email-message/v2"),
        Break("$.schema", "const changed"),
    ),
    "a condition is changed": (
        "email-message",
        lambda s: s["else"]["required"].append("from"),
        Break("$", "else changed"),
    ),
    "a definition is removed": (
        "routing-decision",
        lambda s: s["$defs"].pop("logged"),
        Break("$.$defs.logged", "definition removed: other documents may point to it"),
    ),
    "a timing is no number": (
        "routing-decision",
        lambda s: s["properties"]["timings"]["properties"].update(publish={"type": "string"}),
        Break("$.timings.publish", "type narrowed: writers send number"),
    ),
}


@pytest.mark.parametrize(("name", "edit", "expected"), BROKEN.values(), ids=BROKEN)
def test_a_planted_break_is_refused(name: str, edit: Edit, expected: Break) -> None:
    current = copy.deepcopy(schema(name, RELEASED))
    edit(current)
    assert expected in breaks(schema(name, RELEASED), current)


ADDED: dict[str, tuple[str, Edit]] = {
    "an optional property of an event": (
        "chat-message",
        lambda s: s["properties"].update(app_version={"type": "string"}),
    ),
    "an optional property of an attachment": (
        "email-message",
        lambda s: s["properties"]["attachments"]["items"]["properties"].update(
            sha256={"type": "string"}
        ),
    ),
    "an optional property of a decision": (
        "routing-decision",
        lambda s: s["properties"].update(nearest={"type": "array"}),
    ),
    "a value of an open enum": (
        "routing-decision",
        lambda s: s["properties"]["reason"]["enum"].append("quarantine"),
    ),
    "a timed stage": (
        "routing-decision",
        lambda s: s["properties"]["timings"]["properties"].update(
            retrieve={"type": "number", "minimum": 0}
        ),
    ),
    "a header": (
        "dead-letter-headers",
        lambda s: s["properties"].update({"router-instance": {"type": "string"}}),
    ),
    "a better description, and an example": (
        "chat-message",
        lambda s: _text(s).update(description="The words.", examples=["Hello"]),
    ),
    "a definition": (
        "routing-decision",
        lambda s: s["$defs"].update(summary={"type": "object"}),
    ),
}


@pytest.mark.parametrize(("name", "edit"), ADDED.values(), ids=ADDED)
def test_an_addition_is_accepted(name: str, edit: Edit) -> None:
    current = copy.deepcopy(schema(name, RELEASED))
    edit(current)
    assert current != schema(name, RELEASED)
    assert breaks(schema(name, RELEASED), current) == []
    for example in examples("valid", name):
        assert faults(current, example.value) == set()
