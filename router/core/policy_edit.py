"""A policy file's text with other thresholds: its comments, order and layout stay."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import yaml

from router.core.located_yaml import read_yaml

_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]*")
_NUMBER_LIKE = re.compile(r"[0-9_.+-]*")
_WORDS = {"true", "false", "null"}


@dataclass(frozen=True, slots=True)
class Change:
    """What a queue gets; ``evidence`` is written as it stands, numbers and words."""

    threshold: float
    evidence: Mapping[str, float | str]


class EditError(Exception):
    """The text is laid out in a way that cannot be edited in place."""


class _Edit(NamedTuple):
    start: int
    end: int
    text: str


def with_thresholds(source: str, changes: Mapping[str, Change]) -> str:
    """``source``, a valid policy, with ``changes`` by queue and the version after its own.

    Raises:
        EditError: the result would not be the policy that is meant.
    """
    root = yaml.compose(source, Loader=yaml.SafeLoader)
    version = _value(root, "version")
    before = read_yaml(source).value
    following = next_version(before["version"])
    edits = [_Edit(version.start_mark.index, version.end_mark.index, f'"{following}"')]
    queues = _value(root, "queues")
    for name, change in changes.items():
        edits += _queue(source, _value(queues, name), change)
    for edit in sorted(edits, reverse=True):
        source = source[: edit.start] + edit.text + source[edit.end :]
    _check(source, before, changes, following)
    return source


def next_version(version: str) -> str:
    """``version`` with its last number one higher, or ``.2`` after it where it has none."""
    numbers = list(re.finditer(r"[0-9]+", version))
    if not numbers:
        return f"{version}.2"
    last = numbers[-1]
    digits = str(int(last[0]) + 1).zfill(len(last[0]))
    return version[: last.start()] + digits + version[last.end() :]


def _check(
    source: str, before: dict[str, Any], changes: Mapping[str, Change], version: str
) -> None:
    wanted = {**before, "version": version, "queues": dict(before["queues"])}
    for name, change in changes.items():
        new = {"threshold": change.threshold, "evidence": dict(change.evidence)}
        wanted["queues"][name] = {**wanted["queues"][name], **new}
    try:
        got = read_yaml(source)
    except Exception as error:
        raise EditError from error
    if got.problems or got.value != wanted:
        raise EditError


def _queue(source: str, queue: Any, change: Change) -> list[_Edit]:
    keys = {key.value: (key, value) for key, value in queue.value}
    items = {"threshold": _number(change.threshold), "evidence": _flow(change.evidence)}
    edits = [_replace(keys[key][1], text) for key, text in items.items() if key in keys]
    new = [f"{key}: {text}" for key, text in items.items() if key not in keys]
    if not new:
        return edits
    if queue.flow_style:
        last = keys["threshold"][1] if "threshold" in keys else queue.value[-1][1]
        at = _end(last)
        return [*edits, _Edit(at, at, "".join(f", {item}" for item in new))]
    # A key of a block stands at the beginning of its line, so that a line may go before it.
    key = keys["intents"][0] if "intents" in keys else queue.value[0][0]
    at = _above_comments(source, key.start_mark.index, key.start_mark.column)
    newline = "\r\n" if "\r\n" in source else "\n"
    indent = " " * key.start_mark.column
    return [*edits, _Edit(at, at, "".join(f"{indent}{item}{newline}" for item in new))]


def _above_comments(source: str, at: int, column: int) -> int:
    """The start of the line of ``at``, or of the comments right above it that are its own."""
    start = at - column
    while start > 0:
        above = source.rfind("\n", 0, start - 1) + 1
        line = source[above:start]
        if not line.startswith(" " * column + "#"):
            break
        start = above
    return start


def _value(mapping: Any, key: str) -> Any:
    return next(value for name, value in mapping.value if name.value == key)


def _replace(node: Any, text: str) -> _Edit:
    return _Edit(node.start_mark.index, _end(node), text)


def _end(node: Any) -> int:
    """Where ``node`` ends. The mark of a block lies behind the comments that follow it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(node, yaml.MappingNode) else last)
    return int(node.end_mark.index)


def _flow(evidence: Mapping[str, float | str]) -> str:
    items = (
        f"{key}: {_word(value) if isinstance(value, str) else _number(value)}"
        for key, value in evidence.items()
    )
    return "{" + ", ".join(items) + "}"


def _number(value: float) -> str:
    """Without an exponent, which the policies' YAML reads as text."""
    return str(value) if isinstance(value, int) else f"{value:.15f}".rstrip("0").rstrip(".")


def _word(text: str) -> str:
    plain = _PLAIN.fullmatch(text) and not _NUMBER_LIKE.fullmatch(text) and text not in _WORDS
    if plain:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
