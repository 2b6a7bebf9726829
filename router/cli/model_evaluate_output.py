"""What `router model evaluate` prints for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from router.cli.output import note, print_table
from router.model.report import tables
from router.model.report.tables import Table

_INTENTS = 15
"""So many intents are listed, and confusions; the rest is in the report."""


def print_evaluation(report: Mapping[str, Any]) -> None:
    """The tables, the main figures first; what lies below the whole stands in yellow."""
    head = f"{report['model']['name']}@{report['model']['version']} on {report['n']} texts"
    click.secho(head, bold=True)
    _print(tables.main_table(report))
    if len(report["stages"]) > 1:
        _print(tables.stage_table(report))
    for table in (
        *(_of_intents(report) if report["n_intent"] else ()),
        *tables.flag_tables(report),
    ):
        _print(table)
    if len(report["per_intent"]) > _INTENTS:
        note(f"The {_INTENTS} weakest intents are listed; --report and --json have them all.")


def _of_intents(report: Mapping[str, Any]) -> list[Table]:
    intents = tables.intent_table(report)
    weakest = Table("Weakest intents", intents.columns, intents.rows[:_INTENTS], intents.low)
    return [
        tables.language_table(report),
        tables.queue_table(report),
        weakest,
        tables.confusion_table(report, "intents", _INTENTS),
    ]


def _print(table: Table) -> None:
    if not table.rows:
        return
    click.echo("")
    click.secho(table.title, bold=True)
    print_table(table.columns, table.rows, marked=table.low)
