"""What a policy file can get wrong that its schema cannot say. Every check passes by what is not
of the right shape: the schema has said so already."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from router.core.located_yaml import Document, Path, Problem
from router.core.phrases import parse_phrase
from router.core.schema_problems import did_you_mean
from router.core.topics import REVIEW

RESERVED = frozenset({"dead-letter", "decisions", "feedback", "ignored", "review", "router"})
"""With ``ROUTER_TOPIC_QUEUE=router.{queue}`` these would be the router's own topics."""


def policy_problems(document: Document) -> Iterator[Problem]:
    """Every contradiction within the file, unordered."""
    policy = _mapping(document.value)
    queues = _mapping(policy.get("queues"))
    rules = [_mapping(rule) for rule in _list(policy.get("rules"))]
    yield from _queues(document, queues)
    yield from _intents(document, queues)
    yield from _targets(document, policy, queues, rules)
    yield from _flags(document, policy, queues)
    yield from _idle_queues(document, policy, queues, rules)
    yield from _rule_names(document, rules)
    for number, rule in enumerate(rules):
        yield from _phrases(document, rule.get("when"), ("rules", number, "when"))
    yield from _unreachable(document, rules)


def _queues(document: Document, queues: dict[str, Any]) -> Iterator[Problem]:
    for name in queues:
        if name in RESERVED:
            message = f"{name} is reserved for the router's own topics: name the queue otherwise"
            yield document.problem(("queues", name), message, at_key=True)


def _intents(document: Document, queues: dict[str, Any]) -> Iterator[Problem]:
    taken: dict[str, tuple[str, int]] = {}
    for name, queue in queues.items():
        for number, intent in enumerate(_list(_mapping(queue).get("intents"))):
            path: Path = ("queues", name, "intents", number)
            if not isinstance(intent, str):
                continue
            if intent in taken:
                other, line = taken[intent]
                message = f"intent {intent} already goes to {other} (line {line}): name it once"
                yield document.problem(path, message)
            else:
                taken[intent] = (name, document.place(path).line)


def _targets(
    document: Document,
    policy: dict[str, Any],
    queues: dict[str, Any],
    rules: list[dict[str, Any]],
) -> Iterator[Problem]:
    named: list[tuple[Path, Any]] = [
        (("rules", number, "queue"), rule.get("queue")) for number, rule in enumerate(rules)
    ]
    named.append((("otherwise",), policy.get("otherwise")))
    for path, queue in named:
        if isinstance(queue, str) and queue != REVIEW and queue not in queues:
            near = did_you_mean(queue, [*queues, REVIEW])
            yield document.problem(path, f"no queue is called {queue}{near}")


def _flags(document: Document, policy: dict[str, Any], queues: dict[str, Any]) -> Iterator[Problem]:
    """A flag must go to specialists: to review everything goes that nobody is sure of."""
    for name, flag in _mapping(policy.get("flags")).items():
        queue = _mapping(flag).get("queue")
        if isinstance(queue, str) and queue not in queues:
            message = f"no queue is called {queue}{did_you_mean(queue, queues)}"
            yield document.problem(("flags", name, "queue"), message)


def _idle_queues(
    document: Document,
    policy: dict[str, Any],
    queues: dict[str, Any],
    rules: list[dict[str, Any]],
) -> Iterator[Problem]:
    used = {rule.get("queue") for rule in rules} | {policy.get("otherwise")}
    used |= {_mapping(flag).get("queue") for flag in _mapping(policy.get("flags")).values()}
    for name, queue in queues.items():
        if name not in used and not _mapping(queue).get("intents"):
            message = (
                f"nothing can reach queue {name}: no intent, rule or flag, and not the catch-all"
            )
            yield document.problem(("queues", name), message, at_key=True)


def _rule_names(document: Document, rules: list[dict[str, Any]]) -> Iterator[Problem]:
    lines: dict[str, int] = {}
    for number, rule in enumerate(rules):
        name = rule.get("name")
        if not isinstance(name, str):
            continue
        path: Path = ("rules", number, "name")
        if name in lines:
            yield document.problem(path, f"rule {name} is already in line {lines[name]}")
        lines.setdefault(name, document.place(path).line)


def _phrases(document: Document, condition: Any, path: Path) -> Iterator[Problem]:
    for key, part in _mapping(condition).items():
        if key in {"all", "any"}:
            for number, one in enumerate(_list(part)):
                yield from _phrases(document, one, (*path, key, number))
        elif key == "not":
            yield from _phrases(document, part, (*path, key))
        elif key == "text":
            for words in ("words", "except"):
                yield from _phrase_list(document, _mapping(part).get(words), (*path, key, words))


def _phrase_list(document: Document, phrases: Any, path: Path) -> Iterator[Problem]:
    lines: dict[tuple[str, ...], int] = {}
    for number, phrase in enumerate(_list(phrases)):
        if not isinstance(phrase, str):
            continue
        try:
            words = parse_phrase(phrase)
        except ValueError as error:
            yield document.problem((*path, number), str(error))
            continue
        line = document.place((*path, number)).line
        if words in lines:
            message = f"the same phrase is in line {lines[words]} (case and accents apart)"
            yield document.problem((*path, number), message)
        lines.setdefault(words, line)


def _unreachable(document: Document, rules: list[dict[str, Any]]) -> Iterator[Problem]:
    """Rules that can neither decide nor flag: an earlier rule takes all that they match."""
    conditions: dict[str, str] = {}
    phrases: dict[tuple[str, ...], str] = {}
    for number, rule in enumerate(rules):
        when, name = _mapping(rule.get("when")), str(rule.get("name"))
        own = _only_words(when)
        same = conditions.get(repr(when))
        if same is None and own and all(phrase in phrases for phrase in own):
            same = phrases[own[0]]
        if same is not None and "flag" not in rule:
            message = f"rule {name} can never decide: {same}, before it, matches all that it does"
            yield document.problem(("rules", number), message)
        conditions.setdefault(repr(when), name)
        for phrase in own:
            phrases.setdefault(phrase, name)


def _only_words(when: dict[str, Any]) -> list[tuple[str, ...]]:
    text = _mapping(when.get("text"))
    if len(when) != 1 or set(text) != {"words"}:
        return []
    phrases = []
    for phrase in _list(text["words"]):
        try:
            phrases.append(parse_phrase(str(phrase)))
        except ValueError:
            return []
    return phrases


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
