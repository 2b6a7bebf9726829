"""What the commands of `router model` share."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from router.cli.context import settings_of

if TYPE_CHECKING:
    from router.core.prediction import Classifier
    from router.model.labelled import Labelled

FOLDER = click.Path(path_type=Path, file_okay=False)
FOUND_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)
FOUND_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)

_NAME = re.compile(r"[\w.?-]{1,64}")


def found(context: click.Context, spec: str) -> Path:
    from router.model.bundle import find_bundle

    settings = settings_of(context)
    return find_bundle(spec or settings.model, settings.models_folder)


def measure(context: click.Context, classifier: Any, data: Path, policy: str) -> dict[str, Any]:
    """The figures for a manifest, with the data's hash: those texts are not to calibrate it."""
    from router.model.evaluation import evaluate
    from router.model.labelled import read_labelled
    from router.policies import open_policy

    rows = read_labelled(data)
    queue_of = open_policy(policy or settings_of(context).policy).queue_of
    with progress(f"Asking {data.name}") as advance:
        figures = evaluate(classifier, rows, queue_of, lambda more: advance(more, len(rows)))
    return {"sha256": hashlib.sha256(data.read_bytes()).hexdigest(), **figures}


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error, on a terminal: told how many more are done, and of how many."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda more, total: bar.update(task, advance=more, total=total)


def doubts(rows: Sequence[Labelled], classifier: Classifier) -> Iterator[str]:
    """What may be a slip in the file, a sentence each."""
    from router.model.labelled import IN_SCOPE, OUT_OF_SCOPE

    kinds = (
        ("label", {row.label for row in rows}, {*classifier.intents, IN_SCOPE, OUT_OF_SCOPE}),
        ("language", {row.language for row in rows}, classifier.languages | {"und"}),
        ("flag", {flag for row in rows for flag in row.flags or ()}, set(classifier.flags)),
    )
    for kind, given, known in kinds:
        strange = sorted(given - known)
        # With columns in disorder a label may be a customer's text: only names are shown.
        shown = [name for name in strange if _NAME.fullmatch(name)][:5]
        if strange:
            near = get_close_matches(shown[0], sorted(known), n=1) if shown else []
            hint = f" Did you mean {near[0]}?" if near else ""
            named = f": {', '.join(shown)}" if shown else ""
            note_of = f"The model does not know {len(strange)} {kind}{'s'[: len(strange) > 1]}"
            yield f"{note_of}{named}{', …' if len(shown) < len(strange) else ''}.{hint}"


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
