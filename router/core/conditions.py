"""When a rule applies: conditions on text and fields, and all rules' conditions matched at once.

Every condition's leaves are numbered and indexed: phrases in one trie, facts and fields by value.
A message is looked up once in each index, and only the rules that one of the found leaves could
make true are evaluated, so thousands of rules cost about as much as a few.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from router.core.phrases import PhraseIndex, fold

FactName = Literal["channel", "language", "country", "product", "segment"]
FACTS: tuple[FactName, ...] = get_args(FactName)

Facts = Mapping[FactName, str | None]


@dataclass(frozen=True, slots=True)
class Words:
    """One of ``phrases`` stands in the text, and not within one of ``exceptions``."""

    phrases: tuple[tuple[str, ...], ...]
    exceptions: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """A property of the message is one of ``values``; case makes no difference."""

    name: FactName
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FieldIs:
    """The event's field at ``path`` is a JSON scalar that equals one of those that ``keys`` stand
    for (``scalar_key``)."""

    path: tuple[str, ...]
    keys: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class FieldExists:
    """The event has a field at ``path``, or has none."""

    path: tuple[str, ...]
    exists: bool


@dataclass(frozen=True, slots=True)
class AllOf:
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: Condition


Leaf = Words | Fact | FieldIs | FieldExists
Condition = Leaf | AllOf | AnyOf | Not

_COMMONNESS = {Words: 0, FieldIs: 1, Fact: 2, FieldExists: 3}
_MISSING = object()


class Matcher:
    """The conditions of a policy's rules, indexed. Immutable once built, so threads share it."""

    def __init__(self, conditions: Sequence[Condition]) -> None:
        self._conditions = tuple(conditions)
        self._leaves: dict[Leaf, int] = {}
        self._commonness: list[int] = []
        self._phrases = PhraseIndex()
        self._facts: dict[FactName, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        self._values: dict[tuple[str, ...], dict[object, list[int]]] = {}
        self._present: dict[tuple[str, ...], dict[bool, list[int]]] = {}
        self._watchers: dict[int, list[int]] = defaultdict(list)
        self._always: list[int] = []
        for rule, condition in enumerate(self._conditions):
            self._number(condition)
            needed = self._needed(condition)
            if needed is None:
                self._always.append(rule)
            for leaf in needed or ():
                self._watchers[leaf].append(rule)

    def match(self, text: str, facts: Facts, fields: Mapping[str, Any]) -> list[int]:
        """The places of the conditions that hold, in order."""
        found = self._phrases.find(text) if text else set()
        for name, by_value in self._facts.items():
            value = facts.get(name)
            if value is not None:
                found.update(by_value.get(fold(value), ()))
        for path, by_key in self._values.items():
            found.update(by_key.get(scalar_key(_field(fields, path)), ()))
        for path, by_presence in self._present.items():
            found.update(by_presence.get(_field(fields, path) is not _MISSING, ()))
        candidates = set(self._always)
        for leaf in found:
            candidates.update(self._watchers.get(leaf, ()))
        return [r for r in sorted(candidates) if self._holds(self._conditions[r], found)]

    def _number(self, condition: Condition) -> None:
        match condition:
            case AllOf(parts) | AnyOf(parts):
                for part in parts:
                    self._number(part)
            case Not(part):
                self._number(part)
            case _ if condition not in self._leaves:
                self._leaves[condition] = len(self._leaves)
                self._commonness.append(_COMMONNESS[type(condition)])
                self._index(condition, self._leaves[condition])

    def _index(self, leaf: Leaf, number: int) -> None:
        match leaf:
            case Words(phrases, exceptions):
                self._phrases.add(number, phrases, exceptions)
            case Fact(name, values):
                for value in {fold(value) for value in values}:
                    self._facts[name][value].append(number)
            case FieldIs(path, keys):
                by_value = self._values.setdefault(path, {})
                for key in set(keys):
                    by_value.setdefault(key, []).append(number)
            case FieldExists(path, exists):
                self._present.setdefault(path, {}).setdefault(exists, []).append(number)

    def _needed(self, condition: Condition) -> frozenset[int] | None:
        """Leaves of which at least one is found whenever ``condition`` holds; None: no such set."""
        match condition:
            case AllOf(parts):
                sets = [n for n in map(self._needed, parts) if n is not None]
                return min(sets, key=self._cost, default=None)
            case AnyOf(parts):
                return _union(map(self._needed, parts))
            case Not():
                return None
            case _:
                return frozenset((self._leaves[condition],))

    def _cost(self, leaves: frozenset[int]) -> tuple[int, int]:
        """Least for the leaves that are found in the fewest messages."""
        return max(self._commonness[leaf] for leaf in leaves), len(leaves)

    def _holds(self, condition: Condition, found: set[int]) -> bool:
        match condition:
            case AllOf(parts):
                return all(self._holds(part, found) for part in parts)
            case AnyOf(parts):
                return any(self._holds(part, found) for part in parts)
            case Not(part):
                return not self._holds(part, found)
            case _:
                return self._leaves[condition] in found


def _union(sets: Iterable[frozenset[int] | None]) -> frozenset[int] | None:
    union: frozenset[int] = frozenset()
    for one in sets:
        if one is None:
            return None
        union |= one
    return union


def scalar_key(value: object) -> object:
    """What tells JSON scalars apart in a dictionary, where ``True`` would equal ``1``; what is no
    scalar equals none."""
    if isinstance(value, bool):
        return (bool, value)
    return value if isinstance(value, str | int | float) or value is None else _MISSING


def _field(fields: Mapping[str, Any], path: tuple[str, ...]) -> object:
    """The value at ``path``; a number in the path is a place in a list."""
    value: Any = fields
    for step in path:
        if isinstance(value, Mapping):
            value = value.get(step, _MISSING)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return _MISSING
    return value
