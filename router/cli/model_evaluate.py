"""`router model evaluate`: measure a bundle on labelled texts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from router.cli.context import settings_of
from router.cli.model_common import doubts, found
from router.cli.model_evaluate_output import print_evaluation
from router.cli.output import json_option, note, print_json

if TYPE_CHECKING:
    from router.model.assessing import Advance


@click.command("evaluate")
@click.option(
    "--data",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    required=True,
    help="CSV or .jsonl: text, label, perhaps language and flags.",
)
@click.option(
    "--model", "spec", default="", help="Bundle folder or name@version; else ROUTER_MODEL."
)
@click.option(
    "--policy", default="", help="Intents to queues, flags' thresholds; else ROUTER_POLICY."
)
@click.option("--language", default="en", show_default=True, help="Of rows that name none.")
@click.option(
    "--report",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for pictures and a page.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of resampling.")
@json_option
@click.pass_context
def evaluate_command(  # noqa: PLR0917 - click passes options by name
    context: click.Context,
    data: Path,
    spec: str,
    policy: str,
    language: str,
    folder: Path | None,
    seed: int,
    as_json: bool,
) -> None:
    """Measure a bundle on labelled texts, with 95 % confidence intervals.

    Columns are text, label and perhaps language and flags. A label is an intent, out_of_scope, or
    in_scope for a bank's business of no intent in particular, which counts for scope alone. Flags
    are a list in JSON, in CSV names with blanks between.

    \b
    Example:
      router model evaluate --data heldout.csv --report /tmp/report
    """
    from router.model.assessing import assess
    from router.model.classifier import load_classifier
    from router.model.labelled import read_labelled
    from router.model.report.writing import PAGE, make_folder, write_report
    from router.policies import open_policy

    settings = settings_of(context)
    rows = read_labelled(data, language)
    opened = open_policy(policy or settings.policy)
    if folder is not None:
        make_folder(folder)
    classifier = load_classifier(found(context, spec), settings.infer_threads)
    for words in doubts(rows, classifier):
        note(words)
    with _progress() as advance:
        figures = assess(classifier, rows, opened, seed=seed, advance=advance)
    ref = classifier.ref
    report: dict[str, Any] = {
        **figures,
        "model": {"name": ref.name, "version": ref.version, "hash": ref.hash},
        "policy": {"name": opened.name, "version": opened.version, "hash": opened.hash},
        "data": {"file": data.name, "sha256": hashlib.sha256(data.read_bytes()).hexdigest()},
    }
    if folder is not None:
        write_report(report, folder)
        note(f"Written: {folder / PAGE}")
    if as_json:
        print_json(report)
    else:
        print_evaluation(report)


@contextmanager
def _progress() -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        tasks: dict[str, Any] = {}

        def advance(what: str, more: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=of)
            progress.advance(tasks[what], more)

        yield advance
