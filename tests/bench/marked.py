"""A part of a page that a program writes, between two comments that nobody sees."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]


def rewrite(page: str, name: str, lines: Sequence[str]) -> str:
    """``page`` with ``lines`` between its marks of this name.

    Raises:
        ValueError: it has not exactly one pair of them.
    """
    head, _, tail = _cut(page, name)
    inside = "".join(f"{line}\n" for line in lines)
    return f"{head}{_begin(name)}\n{inside}{_end(name)}{tail}"


def written(page: str, name: str) -> list[str]:
    """The lines between the marks.

    Raises:
        ValueError: as `rewrite`.
    """
    return _cut(page, name)[1].splitlines()


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """In Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]


def _cut(page: str, name: str) -> tuple[str, str, str]:
    begin, end = f"{_begin(name)}\n", _end(name)
    if page.count(begin) != 1 or page.count(end) != 1 or page.index(begin) > page.index(end):
        raise ValueError(f"the page needs one {begin.strip()} and, after it, one {end}")
    head, _, rest = page.partition(begin)
    inside, _, tail = rest.partition(end)
    return head, inside, tail


def _begin(name: str) -> str:
    return f"<!-- {name}: written by a program, do not edit -->"


def _end(name: str) -> str:
    return f"<!-- {name}: end -->"
