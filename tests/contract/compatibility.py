"""What in a changed schema would break somebody who relies on the released one.

Two sorts of people rely on a schema, and they are broken by opposite changes:

- A *writer* of the older release is broken when a value that was valid no longer is. For events
  that is upstream. For what the router writes it is time: topics keep records of older releases,
  and a consumer of today replays them.
- A *reader* of the older release is broken when a value comes that it was told could not. For
  decisions and dead letters that is every consumer. For events it is the consumers too, because a
  decision carries the event as it was received.

So each schema is written and read by others, and a change must hurt neither: what is described
already stays as it is, and what comes on top is optional. One exception: an enum that carries
``x-open`` told its readers to expect more values, so it may grow.

Any difference that is not known to be harmless is a break.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]

_ANNOTATIONS = frozenset({"title", "description", "examples", "$comment"})
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Break:
    """A change at ``path`` (dotted, from ``$``) and whom it breaks."""

    path: str
    problem: str


def breaks(released: Schema, current: Schema, path: str = "$") -> list[Break]:
    """Every change from ``released`` to ``current`` that breaks a writer or a reader."""
    found: list[Break] = []
    for keyword in sorted((released.keys() | current.keys()) - _ANNOTATIONS):
        old, new = released.get(keyword, _ABSENT), current.get(keyword, _ABSENT)
        if old != new:
            rule = _RULES.get(keyword, _changed)
            found += rule(_Change(released, keyword, old, new, path))
    return found


@dataclass(frozen=True, slots=True)
class _Change:
    released: Schema
    keyword: str
    old: Any
    new: Any
    path: str

    def broken(self, problem: str) -> Break:
        return Break(self.path, problem)


def _changed(change: _Change) -> Iterator[Break]:
    """The verdict on a keyword that has no rule of its own."""
    happened = "changed"
    if change.old is _ABSENT:
        happened = "added: writers may break it"
    elif change.new is _ABSENT:
        happened = "removed: readers may rely on it"
    yield change.broken(f"{change.keyword} {happened}")


def _properties(change: _Change) -> Iterator[Break]:
    old, new = _object(change.old), _object(change.new)
    for name in sorted(old.keys() | new.keys()):
        inner = f"{change.path}.{name}"
        if name not in new:
            yield Break(inner, "property removed: readers and writers use it")
        elif name in old:
            yield from breaks(old[name], new[name], inner)
        else:
            yield from _added(change.released.get("additionalProperties", True), new[name], inner)


def _added(extras: Schema | bool, new: Schema, path: str) -> Iterator[Break]:
    """A new property must be what its readers were told of properties they do not know."""
    if extras is False:
        yield Break(path, "property added where readers were told there are no others")
    elif isinstance(extras, dict):
        yield from breaks(extras, new, path)


def _required(change: _Change) -> Iterator[Break]:
    old, new = set(_list(change.old)), set(_list(change.new))
    for name in sorted(new - old):
        yield Break(f"{change.path}.{name}", "newly required: older writers leave it out")
    for name in sorted(old - new):
        yield Break(f"{change.path}.{name}", "no longer required: readers count on it")


def _type(change: _Change) -> Iterator[Break]:
    if change.old is _ABSENT or change.new is _ABSENT:
        yield from _changed(change)
        return
    old, new = set(_types(change.old)), set(_types(change.new))
    if lost := sorted(old - new):
        yield change.broken(f"type narrowed: writers send {', '.join(lost)}")
    if gained := sorted(new - old):
        yield change.broken(f"type widened: readers do not expect {', '.join(gained)}")


def _enum(change: _Change) -> Iterator[Break]:
    if change.old is _ABSENT or change.new is _ABSENT:
        yield from _changed(change)
        return
    if any(value not in change.new for value in change.old):
        yield change.broken("enum narrowed: writers send the value taken away")
    grown = any(value not in change.old for value in change.new)
    if grown and "x-open" not in change.released:
        yield change.broken("enum widened: readers were told the list is closed")


def _open(change: _Change) -> Iterator[Break]:
    """An enum may be closed again or its note reworded; it may not be opened after the fact."""
    if change.old is _ABSENT:
        yield change.broken("x-open added: readers were told the list is closed")


def _nested(change: _Change) -> Iterator[Break]:
    if isinstance(change.old, dict) and isinstance(change.new, dict):
        yield from breaks(change.old, change.new, f"{change.path}.*")
    elif _anything(change.old) and _anything(change.new):
        return
    elif _anything(change.old):
        yield change.broken(f"{change.keyword} closed: writers may add what they like")
    else:
        yield change.broken(f"{change.keyword} changed")


def _definitions(change: _Change) -> Iterator[Break]:
    old, new = _object(change.old), _object(change.new)
    for name in sorted(old):
        inner = f"{change.path}.$defs.{name}"
        if name in new:
            yield from breaks(old[name], new[name], inner)
        else:
            yield Break(inner, "definition removed: other documents may point to it")


def _bound(kind: str) -> Callable[[_Change], Iterator[Break]]:
    """A rule for a number that bounds values from above (``most``) or from below (``least``)."""

    def rule(change: _Change) -> Iterator[Break]:
        if change.old is _ABSENT or change.new is _ABSENT:
            yield from _changed(change)
            return
        tightened = (change.new < change.old) == (kind == "most")
        who = "writers go beyond it" if tightened else "readers do not expect what is beyond it"
        moved = "lowered" if change.new < change.old else "raised"
        yield change.broken(f"{change.keyword} {moved}: {who}")

    return rule


def _anything(subschema: Any) -> bool:
    return subschema is _ABSENT or subschema is True


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _types(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


_RULES: dict[str, Callable[[_Change], Iterator[Break]]] = {
    "properties": _properties,
    "required": _required,
    "type": _type,
    "enum": _enum,
    "x-open": _open,
    "items": _nested,
    "additionalProperties": _nested,
    "$defs": _definitions,
    **dict.fromkeys(("maximum", "maxLength", "maxItems", "maxProperties"), _bound("most")),
    **dict.fromkeys(("minimum", "minLength", "minItems", "minProperties"), _bound("least")),
}
