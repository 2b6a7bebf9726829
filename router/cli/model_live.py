"""`router model shadow` and `canary`: another bundle beside the live one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from router.cli.model_common import models_option
from router.cli.output import json_option, print_json

if TYPE_CHECKING:
    from router.model.live import Live

_bundle = click.argument("bundle", metavar="[NAME@VERSION]", default="")
_off = click.option("--off", is_flag=True, help="End it.")


@click.command("shadow")
@_bundle
@_off
@models_option
@json_option
def shadow_command(bundle: str, off: bool, models: Path, as_json: bool) -> None:
    """Have a second bundle predict beside the live one: it decides nothing.

    Workers show it what they have decided, when there is time, and count in
    router_shadow_total how often it would have chosen the same queue.

    \b
    Examples:
      router model shadow banking@2
      router model shadow --off
    """
    from router.model.trials import set_shadow

    _check_one_of(bundle, off)
    _tell(set_shadow(models, bundle or None), as_json)


@click.command("canary")
@_bundle
@click.option(
    "--share",
    type=click.FloatRange(0, 1, min_open=True),
    help="Of the conversations: 0.05 is one in twenty.",
)
@_off
@models_option
@json_option
def canary_command(
    bundle: str, share: float | None, off: bool, models: Path, as_json: bool
) -> None:
    """Have a second bundle decide for a share of the conversations.

    As for `promote` it must have passed `gate` against the live one; exit code 1 where it has not.
    Which ones follows from a hash of the conversation's id: a conversation stays with its model,
    and a larger share keeps those of a smaller one. Each decision names the model that answered.

    \b
    Examples:
      router model canary banking@2 --share 0.05
      router model canary --off
    """
    from router.model.trials import set_canary

    _check_one_of(bundle, off)
    if off != (share is None):
        raise click.UsageError("A canary needs --share, and --off takes none.", _context())
    _tell(set_canary(models, bundle or None, share or 0.0), as_json)


def _check_one_of(bundle: str, off: bool) -> None:
    if bool(bundle) == off:
        raise click.UsageError("Give NAME@VERSION or --off.", _context())


def _context() -> click.Context:
    return click.get_current_context()


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
