"""A policy file's bytes as a ``Policy``, or everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from types import MappingProxyType
from typing import Any

from router.core.conditions import (
    FACTS,
    AllOf,
    AnyOf,
    Condition,
    Fact,
    FieldExists,
    FieldIs,
    Not,
    Words,
    scalar_key,
)
from router.core.decision import PolicyRef
from router.core.located_yaml import Document, Place, Problem, YamlError, read_yaml
from router.core.phrases import parse_phrase
from router.core.policy import Flag, Handling, Policy, Queue, Rule
from router.core.policy_checks import policy_problems
from router.core.schema_problems import FileError, FileSchema

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_CANDIDATES = 3


def load_policy(source: bytes, name: str, schema: FileSchema) -> Policy:
    """The policy in ``source``; ``name`` is the file's, for errors.

    Raises:
        FileError: a ``PolicyError`` with every problem, each with its line and column.
    """
    document = read_document(source, name)
    problems = [*document.problems, *schema.problems(document), *policy_problems(document)]
    if problems:
        raise FileError(name, problems)
    return _policy(document.value, sha256(source).hexdigest())


def read_document(source: bytes, name: str) -> Document:
    """The YAML document in ``source``.

    Raises:
        FileError: it is not UTF-8 or not YAML.
    """
    try:
        return read_yaml(source.decode())
    except UnicodeDecodeError as error:
        place = Place(source.count(b"\n", 0, error.start) + 1, 1)
        raise FileError(name, [Problem(place, "$", "not UTF-8")]) from None
    except YamlError as error:
        raise FileError(name, [error.problem]) from None


def parse_condition(when: Mapping[str, Any]) -> Condition:
    """A condition that the schema has passed; several keys must all hold."""
    parts = [_part(key, value) for key, value in when.items()]
    return parts[0] if len(parts) == 1 else AllOf(tuple(parts))


def _part(key: str, value: Any) -> Condition:
    match key:
        case "all":
            return AllOf(tuple(parse_condition(part) for part in value))
        case "any":
            return AnyOf(tuple(parse_condition(part) for part in value))
        case "not":
            return Not(parse_condition(value))
        case "text":
            return Words(_phrases(value["words"]), _phrases(value.get("except", [])))
        case "field":
            return _field(value)
    name = next(fact for fact in FACTS if fact == key)
    return Fact(name, tuple(value) if isinstance(value, list) else (value,))


def _field(field: Mapping[str, Any]) -> Condition:
    path = tuple(field["name"].split("."))
    if "exists" in field:
        return FieldExists(path, field["exists"])
    values = field["in"] if "in" in field else [field["is"]]
    return FieldIs(path, tuple(scalar_key(value) for value in values))


def _phrases(phrases: list[str]) -> tuple[tuple[str, ...], ...]:
    return tuple(parse_phrase(phrase) for phrase in phrases)


def _policy(value: Mapping[str, Any], digest: str) -> Policy:
    defaults = value["defaults"]
    review = _handling(value["review"], defaults)
    queues = {name: _queue(name, queue, defaults) for name, queue in value["queues"].items()}
    return Policy(
        ref=PolicyRef(value["name"], value["version"], digest),
        queues=MappingProxyType(queues),
        flags=MappingProxyType(
            {name: _flag(name, flag, queues) for name, flag in value.get("flags", {}).items()}
        ),
        rules=tuple(_rule(rule, queues, review) for rule in value.get("rules", [])),
        otherwise=value["otherwise"],
        review=review,
        threshold=float(defaults["threshold"]),
        in_scope=float(defaults["in_scope"]),
        candidates=defaults.get("candidates", _CANDIDATES),
        languages=frozenset(value["languages"]) if "languages" in value else None,
    )


def _queue(name: str, queue: Mapping[str, Any], defaults: Mapping[str, Any]) -> Queue:
    return Queue(
        name=name,
        description=queue["description"],
        intents=tuple(queue.get("intents", [])),
        threshold=float(queue.get("threshold", defaults["threshold"])),
        handling=_handling(queue, defaults),
    )


def _flag(name: str, flag: Mapping[str, Any], queues: Mapping[str, Queue]) -> Flag:
    return Flag(
        name=name,
        queue=flag["queue"],
        threshold=float(flag["threshold"]),
        handling=_changed(queues[flag["queue"]].handling, flag),
    )


def _rule(rule: Mapping[str, Any], queues: Mapping[str, Queue], review: Handling) -> Rule:
    queue = queues.get(rule["queue"])
    return Rule(
        name=rule["name"],
        description=rule.get("description", ""),
        when=parse_condition(rule["when"]),
        queue=rule["queue"],
        flag=rule.get("flag"),
        handling=_changed(queue.handling if queue else review, rule),
    )


def _changed(usual: Handling, given: Mapping[str, Any]) -> Handling:
    return Handling(
        given.get("priority", usual.priority),
        _duration(given["due"]) if "due" in given else usual.due,
    )


def _handling(given: Mapping[str, Any], defaults: Mapping[str, Any]) -> Handling:
    return Handling(
        given.get("priority", defaults["priority"]), _duration(given.get("due", defaults["due"]))
    )


def _duration(text: str) -> timedelta:
    return timedelta(**{_UNITS[text[-1]]: int(text[:-1])})
