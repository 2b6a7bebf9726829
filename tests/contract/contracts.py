"""The schemas and their examples as the contract tests see them, read afresh from ``schemas/``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import jsonschema_rs

from router.resources import SCHEMAS

Schema = dict[str, Any]

EVENTS = ("chat-message", "email-message")
NAMES = (*EVENTS, "routing-decision", "dead-letter-headers")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a value, in a dead letter's words."""

    reason: str
    field: str


@dataclass(frozen=True, slots=True)
class Example:
    """An example file. ``fault`` is None for a valid one."""

    name: str
    contract: str
    value: Any
    fault: Fault | None

    def __str__(self) -> str:
        return f"{self.contract}-{self.name}"


def schema(name: str, folder: Path = SCHEMAS) -> Schema:
    loaded: Schema = json.loads((folder / f"{name}.v1.json").read_text(encoding="utf-8"))
    return loaded


def validator(contract: Schema) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(contract, validate_formats=True)


def examples(kind: Literal["valid", "invalid"], *contracts: str) -> list[Example]:
    """The example files of ``contracts`` (of all where none is named), by name."""
    return [
        _example(path, name, kind)
        for name in contracts or NAMES
        for path in sorted((SCHEMAS / "examples" / kind / f"{name}.v1").glob("*.json"))
    ]


def _example(path: Path, contract: str, kind: str) -> Example:
    loaded = json.loads(path.read_text(encoding="utf-8"))
    if kind == "valid":
        return Example(path.stem, contract, loaded, None)
    fault = Fault(loaded["reason"], loaded["field"])
    return Example(path.stem, contract, loaded["value"], fault)


def faults(contract: Schema, value: Any) -> set[Fault]:
    """Every fault the schema finds in ``value``, named without the router's help."""
    return {_fault(error) for error in validator(contract).iter_errors(value)}


def _fault(error: jsonschema_rs.ValidationError) -> Fault:
    path = [str(step) for step in error.instance_path]
    match error.kind:
        case jsonschema_rs.ValidationErrorKind.Required() as kind:
            return Fault("missing_field", ".".join([*path, kind.property]))
        case jsonschema_rs.ValidationErrorKind.Type():
            return Fault("wrong_type" if path else "not_an_object", ".".join(path) or "$")
        case jsonschema_rs.ValidationErrorKind.Constant() if path == ["schema"]:
            return Fault("unknown_schema", "schema")
        case _:
            return Fault("invalid_value", ".".join(path) or "$")


def subschemas(contract: Schema, path: str = "$") -> Iterator[tuple[str, Schema]]:
    """Each property, item and extra property that a schema describes, at every depth."""
    nested = [*contract.get("properties", {}).items()]
    nested += [("*", contract[k]) for k in ("items", "additionalProperties") if k in contract]
    for name, inner in nested:
        if isinstance(inner, dict):
            yield f"{path}.{name}", inner
            yield from subschemas(inner, f"{path}.{name}")
