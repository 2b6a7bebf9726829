"""`router model shadow` and `canary`: another bundle beside the live one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from router.cli.context import settings_of
from router.cli.output import json_option, print_json

if TYPE_CHECKING:
    from router.model.live import Live

_bundle = click.argument("bundle", metavar="[NAME@VERSION]", default="")
_off = click.option("--off", is_flag=True, help="End it.")
_models = click.option(
    "--models",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="The folder of NAME/VERSION and live.json; else ROUTER_MODELS.",
)


@click.command("shadow")
@_bundle
@_off
@_models
@json_option
@click.pass_context
def shadow_command(
    context: click.Context, bundle: str, off: bool, models: Path | None, as_json: bool
) -> None:
    """Have a second bundle predict beside the live one: it decides nothing.

    Workers show it what they have decided, when there is time, and count in
    router_shadow_total how often it would have chosen the same queue.

    \b
    Examples:
      router model shadow banking-en@2
      router model shadow --off
    """
    from router.model.trials import set_shadow

    _check_one_of(bundle, off)
    _tell(set_shadow(_folder(context, models), bundle or None), as_json)


@click.command("canary")
@_bundle
@click.option(
    "--share",
    type=click.FloatRange(0, 1, min_open=True),
    help="Of the conversations: 0.05 is one in twenty.",
)
@_off
@_models
@json_option
@click.pass_context
def canary_command(  # noqa: PLR0917  # click passes options by name
    context: click.Context,
    bundle: str,
    share: float | None,
    off: bool,
    models: Path | None,
    as_json: bool,
) -> None:
    """Have a second bundle decide for a share of the conversations.

    Which ones follows from a hash of the conversation's id: a conversation stays with its model,
    and a larger share keeps those of a smaller one. Each decision names the model that answered.

    \b
    Examples:
      router model canary banking-en@2 --share 0.05
      router model canary --off
    """
    from router.model.trials import set_canary

    _check_one_of(bundle, off)
    if off != (share is None):
        raise click.UsageError("A canary needs --share, and --off takes none.", context)
    _tell(set_canary(_folder(context, models), bundle or None, share or 0.0), as_json)


def _check_one_of(bundle: str, off: bool) -> None:
    if bool(bundle) == off:
        raise click.UsageError("Give NAME@VERSION or --off.", click.get_current_context())


def _folder(context: click.Context, models: Path | None) -> Path:
    return models or settings_of(context).models_folder


def _tell(live: Live, as_json: bool) -> None:
    canary = live.canary
    if as_json:
        shown = {"model": canary.model, "share": canary.share} if canary else None
        print_json({"live": live.live, "canary": shown, "shadow": live.shadow})
        return
    click.echo(f"Live is {live.live}.")
    if canary:
        click.echo(f"Canary is {canary.model}, for {canary.share:.2%} of the conversations.")
    if live.shadow:
        click.echo(f"Shadow is {live.shadow}.")
