"""`router model split`, `train` and `export`: from data to a bundle."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from router.cli.model_common import FOLDER, FOUND_FOLDER, measure
from router.cli.output import note
from router.errors import UsageError
from router.resources import MODELS

if TYPE_CHECKING:
    from router.training.backbones import Teacher

data_option = click.option(
    "--data",
    type=FOUND_FOLDER,
    required=True,
    help="Folder that holds banking77/train.csv and clinc150/*.jsonl.",
)


@click.command("split")
@data_option
@click.option("--out", type=FOLDER, required=True, help="Where the split's files go.")
def split_command(data: Path, out: Path) -> None:
    """Write the fixed split: train.csv, calibration.csv, heldout.csv, heldout-own.csv.

    The same on every machine. The files hold the data's texts: keep them out of the repository.

    \b
    Example:
      router model split --data ../data --out /tmp/split
    """
    from router.training.parts import read_parts

    read_parts(data).write(out)
    click.echo(f"Written to {out}.")


@click.command("train")
@data_option
@click.option("--out", type=FOLDER, required=True, help="The run folder, out of the repository.")
@click.option(
    "--encoder",
    type=click.Choice(["minilm", "e5"]),
    default="minilm",
    show_default=True,
    help="minilm reads English, e5 all eight languages.",
)
@click.option(
    "--layers",
    type=click.IntRange(1, 12),
    default=6,
    show_default=True,
    help="Of e5's twelve, so many stay; minilm has six.",
)
@click.option(
    "--from",
    "start",
    type=FOUND_FOLDER,
    help="A finished run to go on from, in place of the encoder as it came.",
)
@click.option(
    "--teacher",
    "teachers",
    type=click.Choice(["minilm", "e5", "mpnet"]),
    multiple=True,
    help="Learn also what this encoder says of the texts; mpnet needs the extra teach.",
)
@click.option("--whole", is_flag=True, help="Learn from the held-out part too: the run that ships.")
@click.option("--epochs", type=click.IntRange(0), help="0 fits the heads alone, in minutes.")
@click.option("--seed", type=click.IntRange(0), help="Another seed is another model.")
@click.option(
    "--threads",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Where the machine does other work besides, one is the fastest.",
)
@click.option("--device", default="cpu", show_default=True, help="torch's name: cpu, cuda.")
@click.option("--resume", is_flag=True, help="Go on from the last whole epoch in --out.")
def train_command(  # noqa: PLR0917 - click passes options by name
    data: Path,
    out: Path,
    encoder: Literal["minilm", "e5"],
    layers: int,
    start: Path | None,
    teachers: tuple[Teacher, ...],
    whole: bool,
    epochs: int | None,
    seed: int | None,
    threads: int,
    device: str,
    resume: bool,
) -> None:
    """Fine-tune an encoder with its heads: about an hour on a processor.

    It learns from the public data and from models/texts, so it needs a checkout.

    \b
    Examples:
      router model train --data ../data --out /tmp/en
      router model train --data ../data --encoder e5 --out /tmp/all
      router model train --data ../data --teacher minilm --teacher mpnet --whole --out /tmp/ships
    """
    from router.training.extra import require_extra, require_teachers
    from router.training.recipe import Recipe
    from router.training.run import train

    require_extra()
    require_teachers(teachers)
    if epochs == 0 and (start or teachers):
        raise UsageError(
            "With --epochs 0 nothing is learnt from a teacher or from --from.",
            "Leave them out, or give more epochs.",
        )
    recipe = Recipe(encoder=encoder, layers=layers, teachers=teachers, whole=whole)
    given: dict[str, Any] = {"epochs": epochs, "seed": seed}
    recipe = replace(recipe, **{name: n for name, n in given.items() if n is not None})
    own = MODELS / "texts"
    train(
        data, own, out, recipe,
        start=start, threads=threads, device=device, resume=resume, tell=note,
    )  # fmt: skip
    click.echo(f"Trained. Now: router model export --run {out} --out models/NAME/VERSION")


@click.command("export")
@click.option(
    "--run",
    "runs",
    type=FOUND_FOLDER,
    required=True,
    multiple=True,
    help="A run folder of `train`; of several the first answers the languages it reads.",
)
@click.option("--out", type=FOLDER, required=True, help="The bundle, …/NAME/VERSION.")
@click.pass_context
def export_command(context: click.Context, runs: tuple[Path, ...], out: Path) -> None:
    """Quantise, calibrate and measure one or more runs, and write their bundle.

    \b
    Examples:
      router model export --run /tmp/en --out models/banking/2
      router model export --run /tmp/en --run /tmp/all --out models/banking/3
    """
    from router.training.export import add_metrics, export
    from router.training.extra import require_extra

    require_extra()
    classifier = export(runs, out, note)
    measured = measure_bundle(context, classifier, runs[0] / "split")
    add_metrics(out, measured)
    click.echo(f"Written: {out}. {told(measured)}")


def told(measured: dict[str, Any]) -> str:
    """The accuracy on the first file that has intents."""
    file, figures = next((f, m) for f, m in measured.items() if m["accuracy"] is not None)
    return f"Its accuracy on {file} is {figures['accuracy']:.4f}."


def measure_bundle(context: click.Context, classifier: Any, split: Path) -> dict[str, Any]:
    """Its figures by file: the held-out parts of ``split`` and of `models/texts`. Where a run held
    nothing of BANKING77 out, the part that calibrates stands in: no weight was learnt from it, but
    probabilities and sets were fitted to it."""
    heldout = split / "heldout.csv"
    files = [
        heldout if heldout.is_file() else split / "calibration.csv",
        split / "heldout-own.csv",
    ]
    own = MODELS / "texts" / "heldout"
    files += [own / f"{language}.jsonl" for language in sorted(classifier.languages)]
    return {
        path.name: measure(context, classifier, path, policy="") for path in files if path.is_file()
    }
