"""YAML as plain values that remember their line and column, of a deliberately small dialect.

Against YAML 1.1's surprises: a plain ``no`` or ``1:30`` is text, a key given twice is an error, and
so are aliases (a few lines of them can expand to gigabytes), tags and a second document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

Path = tuple[str | int, ...]

MAX_DEPTH = 40

_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,14})")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,14})\.[0-9]{1,15}")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Both count from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in a file, and where; ``path`` is dotted (``rules.0.when``)."""

    place: Place
    path: str
    message: str


class YamlError(Exception):
    """The text cannot be read at all; ``problem`` says why and where."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Document:
    """``problems`` are the keys given twice; the first one stands in ``value``."""

    value: Any
    problems: list[Problem] = field(default_factory=list)
    _values: dict[Path, Place] = field(default_factory=dict)
    _keys: dict[Path, Place] = field(default_factory=dict)

    def place(self, path: Path) -> Place:
        """Where the value at ``path`` begins, or the nearest that holds it."""
        while path and path not in self._values:
            path = path[:-1]
        return self._values.get(path, Place(1, 1))

    def key_place(self, path: Path) -> Place:
        """Where the key of the value at ``path`` stands; of a list's item, where it begins."""
        return self._keys.get(path) or self.place(path)

    def problem(self, path: Path, message: str, *, at_key: bool = False) -> Problem:
        place = self.key_place(path) if at_key else self.place(path)
        return Problem(place, dotted(path), message)


def dotted(path: Path) -> str:
    return ".".join(str(step) for step in path) or "$"


def read_yaml(source: str) -> Document:
    """The one document in ``source``.

    Raises:
        YamlError: it is no YAML, or uses what this dialect leaves out.
    """
    try:
        return _Reader(source).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlError(Problem(_place(mark), "$", f"not YAML: {error.problem}")) from None
    except yaml.reader.ReaderError as error:
        line = source.count("\n", 0, error.position) + 1
        raise YamlError(Problem(Place(line, 1), "$", "holds a control character")) from None
    except (ValueError, OverflowError):  # PyYAML lets chr() fail, and says no place
        message = "not YAML: an escape such as \\U00110000 is no character"
        raise YamlError(Problem(Place(1, 1), "$", message)) from None


class _Reader:
    def __init__(self, source: str) -> None:
        self._events: Iterator[Any] = iter(yaml.parse(source, Loader=yaml.SafeLoader))
        self._document = Document(None)

    def document(self) -> Document:
        next(self._events)  # the stream's start
        first = next(self._events)
        if isinstance(first, yaml.StreamEndEvent):
            return self._document
        value = self._value(next(self._events), ())
        next(self._events)  # the document's end
        following = next(self._events)
        if not isinstance(following, yaml.StreamEndEvent):
            _refuse(following, (), "a second document begins: one file holds one")
        done = self._document
        return Document(value, done.problems, done._values, done._keys)

    def _value(self, event: Any, path: Path) -> Any:
        self._document._values[path] = _place(event.start_mark)
        if isinstance(event, yaml.AliasEvent):
            _refuse(event, path, "aliases (*name) are not read: write the value out")
        if event.tag is not None:
            _refuse(event, path, "tags (!name) are not read")
        if len(path) > MAX_DEPTH:
            _refuse(event, path, f"nested more than {MAX_DEPTH} deep")
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path)
        return _plain(event.value) if event.implicit[0] else event.value

    def _mapping(self, path: Path) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                _refuse(event, path, "a key must be one word")
            below = (*path, event.value)
            place = _place(event.start_mark)
            if event.value in mapping:
                self._skip_duplicate(below, place)
                continue
            self._document._keys[below] = place
            mapping[event.value] = self._value(next(self._events), below)
        return mapping

    def _skip_duplicate(self, path: Path, place: Place) -> None:
        first = self._document._keys[path].line
        message = f"{path[-1]} is given twice; the first is in line {first}"
        self._document.problems.append(Problem(place, dotted(path), message))
        kept = dict(self._document._values), dict(self._document._keys)
        self._value(next(self._events), path)
        self._document._values.update(kept[0])
        self._document._keys.update(kept[1])

    def _sequence(self, path: Path) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._value(event, (*path, len(items))))
        return items


def _plain(text: str) -> str | float | bool | None:
    if text in _WORDS:
        return _WORDS[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text


def _place(mark: Any) -> Place:
    return Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)


def _refuse(event: Any, path: Path, message: str) -> None:
    raise YamlError(Problem(_place(event.start_mark), dotted(path), message))
