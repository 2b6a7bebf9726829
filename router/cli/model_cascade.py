"""`router model cascade`: a small first stage for a bundle, distilled from it."""

from __future__ import annotations

from pathlib import Path

import click

from router.cli.model_common import FOLDER, found
from router.cli.model_train import data_option, measure_bundle
from router.cli.output import note
from router.resources import MODELS


@click.command("cascade")
@click.argument("bundle")
@data_option
@click.option("--out", type=FOLDER, required=True, help="The new bundle, …/NAME/VERSION.")
@click.option("--seed", type=click.IntRange(0), default=7, show_default=True)
@click.pass_context
def cascade_command(context: click.Context, bundle: str, data: Path, out: Path, seed: int) -> None:
    """Put a stage before BUNDLE's that answers what it is sure of, in about a tenth of the time.

    It looks up a vector for each word piece and averages them; it learns BUNDLE's own answers to
    the texts that BUNDLE learned from. From which confidence on it may answer is fitted so that
    quality does not fall. BUNDLE's own stages stay as they are. About a quarter of an hour.

    \b
    Example:
      router model cascade banking@2 --data ../data --out models/banking/3
    """
    import tempfile

    from router.model.bundle import read_bundle
    from router.training.cascade import add_first_stage, parts_of
    from router.training.export import add_metrics
    from router.training.extra import require_extra
    from router.training.static import StaticRecipe

    require_extra()
    own = MODELS / "texts"
    folder = found(context, bundle)
    recipe = StaticRecipe(seed=seed)
    classifier, accepted = add_first_stage(folder, data, own, out, recipe, note)
    with tempfile.TemporaryDirectory() as split:
        parts_of(read_bundle(folder), data).write(Path(split))
        add_metrics(out, measure_bundle(context, classifier, Path(split)))
    click.echo(
        f"Written: {out}. With a confidence of {accepted.accept} or more the first stage answers "
        f"{accepted.share:.1%} of the texts that calibrate it; {accepted.harmed} of those the "
        "others would have got right."
    )
