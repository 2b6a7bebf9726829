"""`router model`: split, train, export, evaluate, verify and show model bundles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from router.cli.context import settings_of
from router.cli.model_evaluate import evaluate_command
from router.cli.output import json_option, note, print_json, print_level, print_table
from router.errors import BundleError
from router.resources import MODELS

_FOLDER = click.Path(path_type=Path, file_okay=False)
_FOUND_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)
_FOUND_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)

_data = click.option(
    "--data",
    type=_FOUND_FOLDER,
    required=True,
    help="Folder that holds banking77/train.csv and clinc150/*.jsonl.",
)


@click.group()
def model_group() -> None:
    """Split, train, export, evaluate, verify and show model bundles.

    \b
    Examples:
      router model verify
      router model evaluate --data heldout.csv
    """


model_group.add_command(evaluate_command)


@model_group.command("split")
@_data
@click.option("--out", type=_FOLDER, required=True, help="Where the split's files go.")
def split_command(data: Path, out: Path) -> None:
    """Write the fixed split: train.csv, calibration.csv, heldout.csv, heldout-own.csv.

    The same on every machine. The files hold the data's texts: keep them out of the repository.

    \b
    Example:
      router model split --data ../data --out /tmp/split
    """
    from router.training.run import write_splits

    write_splits(data, out)
    click.echo(f"Written to {out}.")


@model_group.command("train")
@_data
@click.option("--out", type=_FOLDER, required=True, help="The run folder, out of the repository.")
@click.option("--epochs", type=click.IntRange(0), help="0 fits the heads alone, in minutes.")
@click.option("--seed", type=click.IntRange(0), help="Another seed is another model.")
@click.option(
    "--threads",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Where the machine does other work besides, one is the fastest.",
)
@click.option("--resume", is_flag=True, help="Go on from the last whole epoch in --out.")
def train_command(  # noqa: PLR0917 - click passes options by name
    data: Path, out: Path, epochs: int | None, seed: int | None, threads: int, resume: bool
) -> None:
    """Fine-tune the encoder with its heads: about half an hour.

    \b
    Example:
      router model train --data ../data --out /tmp/run
    """
    from router.training.extra import require_extra
    from router.training.recipe import Recipe
    from router.training.run import train

    require_extra()
    given = {"epochs": epochs, "seed": seed}
    recipe = Recipe(**{name: value for name, value in given.items() if value is not None})
    train(data, out, recipe, threads=threads, resume=resume, tell=note)
    click.echo(f"Trained. Now: router model export --run {out} --out models/NAME/VERSION")


@model_group.command("export")
@click.option("--run", type=_FOUND_FOLDER, required=True, help="The run folder of `train`.")
@click.option("--out", type=_FOLDER, required=True, help="The bundle, …/NAME/VERSION.")
@click.pass_context
def export_command(context: click.Context, run: Path, out: Path) -> None:
    """Quantise, calibrate and measure a run, and write its bundle.

    \b
    Example:
      router model export --run /tmp/run --out models/banking-en/2
    """
    from router.training.export import add_metrics, export
    from router.training.extra import require_extra

    require_extra()
    classifier = export(run, out, note)
    files = ("heldout.csv", "heldout-own.csv")
    measured = {
        name: _measure(context, classifier, run / "split" / name, policy="") for name in files
    }
    add_metrics(out, measured)
    click.echo(f"Written: {out}. Its accuracy is {measured['heldout.csv']['accuracy']:.4f}.")


@model_group.command("verify")
@click.argument("bundle", default="")
@json_option
@click.pass_context
def verify_command(context: click.Context, bundle: str, as_json: bool) -> int:
    """Check a bundle's hashes, load it, and ask it its samples. Exit code 1 where one fails.

    \b
    Example:
      router model verify banking-en@1
    """
    from router.model.classifier import load_classifier

    folder = _found(context, bundle)
    try:
        ref = load_classifier(folder).ref
    except BundleError as error:
        if as_json:
            print_json({"ok": False, "folder": str(folder), "problem": str(error)})
        else:
            print_level("fail", str(folder), error.problem, error.fix)
        return 1
    if as_json:
        whole = {"name": ref.name, "version": ref.version, "hash": ref.hash}
        print_json({"ok": True, "folder": str(folder), **whole})
    else:
        print_level("ok", f"{ref.name}@{ref.version} in {folder}, manifest {ref.hash}")
    return 0


@model_group.command("show")
@click.argument("bundle", default="")
@json_option
@click.pass_context
def show_command(context: click.Context, bundle: str, as_json: bool) -> None:
    """Show what a bundle's manifest says; its hashes are checked first.

    \b
    Example:
      router model show --json
    """
    from router.model.bundle import read_bundle

    read = read_bundle(_found(context, bundle))
    manifest = read.manifest
    if as_json:
        print_json({**manifest.whole, "intents": read.intents, "hash": read.ref.hash})
        return
    print_table(
        ("what", "value"),
        [
            ("bundle", f"{manifest.name}@{manifest.version}"),
            ("folder", str(read.folder)),
            ("manifest", read.ref.hash),
            ("languages", ", ".join(manifest.languages)),
            ("stages", ", ".join(f"{s.name} ({s.max_tokens} tokens)" for s in manifest.stages)),
            ("intents", str(len(read.intents))),
            ("size", f"{sum(f.bytes for f in manifest.files.values()) / 1e6:.1f} MB"),
            ("encoder", "{name}, {licence}".format(**manifest.whole["encoder"])),
            *((f"{file}: accuracy", _figure(m.get("accuracy"))) for file, m in
              manifest.whole["metrics"].items()),
        ],
    )  # fmt: skip


def _found(context: click.Context, spec: str) -> Path:
    from router.model.bundle import find_bundle

    return find_bundle(spec or settings_of(context).model, MODELS)


def _measure(context: click.Context, classifier: Any, data: Path, policy: str) -> dict[str, Any]:
    from router.model.evaluation import evaluate
    from router.model.labelled import read_labelled
    from router.policies import open_policy

    rows = read_labelled(data)
    queue_of = open_policy(policy or settings_of(context).policy).queue_of
    with _progress(f"Asking {data.name}", len(rows)) as advance:
        return evaluate(classifier, rows, queue_of, advance)


@contextmanager
def _progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=total)
        yield lambda count: progress.advance(task, count)


def _figure(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.4f}" if isinstance(value, float) else str(value)
