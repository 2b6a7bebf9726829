"""`router model split`, `train` and `export`: from data to a bundle."""

from __future__ import annotations

from pathlib import Path

import click

from router.cli.model_common import FOLDER, FOUND_FOLDER, measure
from router.cli.output import note

_data = click.option(
    "--data",
    type=FOUND_FOLDER,
    required=True,
    help="Folder that holds banking77/train.csv and clinc150/*.jsonl.",
)


@click.command("split")
@_data
@click.option("--out", type=FOLDER, required=True, help="Where the split's files go.")
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


@click.command("train")
@_data
@click.option("--out", type=FOLDER, required=True, help="The run folder, out of the repository.")
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


@click.command("export")
@click.option("--run", type=FOUND_FOLDER, required=True, help="The run folder of `train`.")
@click.option("--out", type=FOLDER, required=True, help="The bundle, …/NAME/VERSION.")
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
        name: measure(context, classifier, run / "split" / name, policy="") for name in files
    }
    add_metrics(out, measured)
    click.echo(f"Written: {out}. Its accuracy is {measured['heldout.csv']['accuracy']:.4f}.")
