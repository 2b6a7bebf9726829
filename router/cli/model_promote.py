"""`router model promote` and `rollback`: which bundle is live."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from router.cli.model_common import models_option
from router.cli.output import json_option, print_json


@click.command("promote")
@click.argument("bundle", metavar="NAME@VERSION")
@models_option
@json_option
def promote_command(bundle: str, models: Path, as_json: bool) -> None:
    """Make a bundle live that has passed `gate` against the one that is live now.

    It is loaded and asked its samples first; then live.json is replaced in one step. Exit code 1
    where no gate, or another than today's, vouches for it.

    \b
    Example:
      router model promote banking@2
    """
    from router.model.promotion import promote

    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    _tell(promote(models, bundle, at).live, as_json)


@click.command("rollback")
@models_option
@json_option
def rollback_command(models: Path, as_json: bool) -> None:
    """Make the bundle live again that was live before.

    Once more goes one further back. Exit code 1 where live.json knows of none.

    \b
    Example:
      router model rollback
    """
    from router.model.promotion import roll_back

    _tell(roll_back(models).live, as_json)


def _tell(live: str, as_json: bool) -> None:
    if as_json:
        print_json({"live": live})
    else:
        click.echo(f"Live is {live}.")
