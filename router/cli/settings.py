"""`router settings`: every variable, its value in force, its default and its meaning."""

from __future__ import annotations

import os
from dataclasses import Field, fields
from typing import Any

import click

from router.cli.context import settings_of
from router.cli.output import json_option, note, print_json, print_table
from router.settings import PREFIX, Settings, unknown_variables


@click.command(name="settings")
@click.option("--check", is_flag=True, help="Only say whether they are right; exit code 2 if not.")
@json_option
@click.pass_context
def settings_command(context: click.Context, check: bool, as_json: bool) -> None:
    """List the settings in force, with their defaults and meanings.

    Secrets are shown as set or not set.

    \b
    Examples:
      ROUTER_BROKER=kafka:9092 router settings
      router --config production.env settings --check
    """
    settings = settings_of(context)
    unknown = unknown_variables(os.environ)
    rows = [_row(spec, settings) for spec in fields(Settings)]
    if as_json:
        print_json({"settings": rows, "unknown": unknown})
    elif check:
        click.echo("The settings are right.")
    else:
        print_table(
            ("variable", "value", "default", "meaning"),
            ((r["variable"], _word(r["value"]), _word(r["default"]), _meaning(r)) for r in rows),
        )
    for name in unknown if not as_json else ():
        note(f"{name} is set and is no setting of the router: a misspelling?")


def _row(spec: Field[Any], settings: Settings) -> dict[str, Any]:
    value = getattr(settings, spec.name)
    if spec.metadata["secret"]:
        value = "set" if value else "not set"
    return {
        "variable": PREFIX + spec.name.upper(),
        "value": value,
        "default": "not set" if spec.metadata["secret"] else spec.default,
        "changed": getattr(settings, spec.name) != spec.default,
        "meaning": spec.metadata["doc"],
        "example": spec.metadata["example"],
    }


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if value != "" else "(empty)"


def _meaning(row: dict[str, Any]) -> str:
    example = f" (such as {row['example']})" if row["example"] else ""
    return f"{row['meaning']}{example}"
