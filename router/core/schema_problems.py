"""What a JSON Schema has against a YAML file, in words and with lines."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

import jsonschema_rs

from router.core.located_yaml import Document, Path, Problem
from router.errors import PolicyError

_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "null",
}

_MUST = {
    "const": "be {expected_value}",
    "minimum": "be at least {limit}",
    "maximum": "be at most {limit}",
    "minItems": "not be empty",
    "minLength": "not be empty",
    "minProperties": "not be empty",
    "maxItems": "have at most {limit} items",
    "maxLength": "have at most {limit} characters",
    "maxProperties": "have at most {limit} keys",
    "uniqueItems": "not name anything twice",
}


class FileSchema:
    """A JSON Schema with its compiled validator. The keyword ``x-must`` beside a check is the
    sentence for a value that fails it, ``x-key-must`` for a key."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema
        self._validator = jsonschema_rs.Draft202012Validator(dict(schema))

    def problems(self, document: Document) -> Iterator[Problem]:
        """Every disagreement, unordered."""
        for error in self._validator.iter_errors(document.value):
            yield from self._explain(document, tuple(error.instance_path), error)

    def _explain(
        self, document: Document, path: Path, error: jsonschema_rs.ValidationError
    ) -> Iterator[Problem]:
        around = self._at(error.schema_path[:-1])
        given = error.kind.as_dict()
        if error.kind.name == "additionalProperties":
            for key in given["unexpected"]:
                yield document.problem((*path, key), _unknown(key, around), at_key=True)
        elif error.kind.name == "required":
            message = f"{given['property']} is missing"
            yield document.problem(path, message, at_key=True)
        else:
            what = path[-1] if path and isinstance(path[-1], str) else "this"
            must = around.get("x-must") or _must(error.kind.name, given)
            yield document.problem(path, f"{what} must {must}")

    def _at(self, steps: list[str | int]) -> Mapping[str, Any]:
        at: Any = self._schema
        for step in steps:
            at = at[step]
        return at if isinstance(at, Mapping) else {}


class FileError(PolicyError):
    """A policy or its tests are wrong; ``problems`` has each, in the file's order."""

    def __init__(self, name: str, problems: Collection[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.place))
        lines = [f"{name}:{p.place.line}:{p.place.column}: {p.message}" for p in self.problems]
        super().__init__("\n".join(lines))


def did_you_mean(name: str, names: Collection[str]) -> str:
    """``; did you mean X?`` for the nearest of ``names``, or nothing."""
    close = get_close_matches(name, sorted(names), n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _unknown(key: str, around: Mapping[str, Any]) -> str:
    if must := around.get("x-key-must"):
        return f"the key {key} must {must}"
    return f"unknown key {key}{did_you_mean(key, around.get('properties', {}))}"


def _must(kind: str, given: Mapping[str, Any]) -> str:
    if kind == "type":
        return "be " + " or ".join(_TYPES[one] for one in given["types"])
    if kind == "enum":
        return f"be one of {', '.join(map(str, given['options']))}"
    return _MUST.get(kind, "follow the schema").format_map(given)
