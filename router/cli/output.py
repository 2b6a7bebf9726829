"""How commands print: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Literal, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])

Level = Literal["ok", "warn", "fail"]
_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


def json_option(function: Function) -> Function:
    """Adds ``--json``; the command's parameter is ``as_json``."""
    option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines.")
    return option(function)


def print_json(value: Any) -> None:
    """``value`` as JSON on a line of its own. Times must be strings already."""
    click.echo(json.dumps(value, ensure_ascii=False))


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, marked: Collection[int] = ()
) -> None:
    """A table; on a terminal it is cut to the width and the ``marked`` rows (from 0) are yellow,
    elsewhere a row is a line of tabs."""
    stream = sys.stdout
    if not stream.isatty():
        for row in (columns, *rows):
            click.echo("\t".join(plain(cell) for cell in row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for number, row in enumerate(rows):
        style = "yellow" if number in marked else ""
        table.add_row(*(Text(plain(cell)) for cell in row), style=style)
    Console(file=stream).print(table)


def print_level(level: Level, what: str, problem: str = "", fix: str = "") -> None:
    """One check's answer: ``ok``, ``warn`` or ``fail``, what was checked, and what to do."""
    word = click.style(f"{level:<4}", fg=_COLOURS[level])
    click.echo(f"{word}  {plain(what)}" + (f": {plain(problem)}" if problem else ""))
    if fix:
        click.echo(f"      {plain(fix)}")


def note(words: str) -> None:
    """A word to the person, on standard error."""
    click.echo(plain(words), err=True)


def plain(cell: str) -> str:
    """``cell`` on one line and without terminal codes, which a message's ids may hold."""
    return "".join(c if c.isprintable() else " " for c in cell)
