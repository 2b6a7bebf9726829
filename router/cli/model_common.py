"""What the commands of `router model` share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from router.cli.context import settings_of

FOLDER = click.Path(path_type=Path, file_okay=False)
FOUND_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)
FOUND_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


def found(context: click.Context, spec: str) -> Path:
    from router.model.bundle import find_bundle

    settings = settings_of(context)
    return find_bundle(spec or settings.model, settings.models_folder)


def measure(context: click.Context, classifier: Any, data: Path, policy: str) -> dict[str, Any]:
    from router.model.evaluation import evaluate
    from router.model.labelled import read_labelled
    from router.policies import open_policy

    rows = read_labelled(data)
    queue_of = open_policy(policy or settings_of(context).policy).queue_of
    with progress(f"Asking {data.name}") as advance:
        return evaluate(classifier, rows, queue_of, lambda more: advance(more, len(rows)))


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error, on a terminal: told how many more are done, and of how many."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda more, total: bar.update(task, advance=more, total=total)


def figure(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _or_the_settings(context: click.Context, _: click.Parameter, given: Path | None) -> Path:
    return given or settings_of(context).models_folder


models_option = click.option(
    "--models",
    type=FOUND_FOLDER,
    callback=_or_the_settings,
    help="The folder of NAME/VERSION and live.json; else ROUTER_MODELS.",
)
