"""`router`: finds the command, and turns errors into one line and an exit code.

A command's module is imported when it is asked for, so that `router --help` is quick.
"""

from __future__ import annotations

import difflib
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import click

from router.cli.context import Common
from router.errors import RouterError

COMMANDS = {
    "worker": ("router.cli.worker:worker_command", "Read messages from Kafka and route them."),
    "demo": ("router.cli.demo:demo_command", "See it all run, on this machine alone."),
    "route": ("router.cli.route:route_command", "Decide about messages, without Kafka."),
    "topics": ("router.cli.topics:topics_group", "Create and list the topics."),
    "replay": ("router.cli.replay:replay_group", "Dead letters again; past input decided anew."),
    "policy": ("router.cli.policy:policy_group", "Check, test and fit a routing policy."),
    "model": ("router.cli.model:model_group", "Train, export, evaluate and verify models."),
    "doctor": ("router.cli.doctor:doctor_command", "Check all that the worker needs."),
    "settings": ("router.cli.settings:settings_command", "List the settings in force."),
}
"""Where each command is, and its line in `router --help`."""

INTERRUPTED = 130
BUG = 70


class LazyGroup(click.Group):
    """Knows its commands' names, and imports one when it is used."""

    def list_commands(self, _: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx  # click's signature
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command = getattr(import_module(module), name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}:{name} is no command")
        return command

    def format_commands(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # the reader, `head` perhaps, has had enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            near = difflib.get_close_matches(name, COMMANDS, n=1)
            hint = f" Did you mean `router {near[0]}`?" if near else ""
            raise click.UsageError(f"There is no command {name!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="router", prog_name="router", message="%(prog)s %(version)s")
@click.option(
    "--config",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="File of ROUTER_NAME=value lines; the environment goes before it.",
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def router(context: click.Context, config: Path | None, debug: bool) -> None:
    """Sends a bank's customer messages to the right queue of people.

    \b
    Examples:
      router demo
      router route "my card has not arrived yet"
      router --config production.env doctor
    """
    common = context.ensure_object(Common)
    common.config, common.debug = config, debug


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit code."""
    sys.exit(run(args))


def run(args: Sequence[str] | None = None) -> int:
    """Run the command line ``args`` (the process's own) and give its exit code."""
    common = Common()
    try:
        result = router.main(args, prog_name="router", standalone_mode=False, obj=common)
    except click.exceptions.Abort:
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except RouterError as error:
        _complain(str(error), error, common)
        return error.exit_code
    except Exception as error:  # whatever it is, a person gets a sentence
        name = type(error).__name__
        _complain(
            f"This is a bug in Router ({name}). `router --debug …` shows where.", error, common
        )
        return BUG
    return result if isinstance(result, int) else 0


def _complain(words: str, error: Exception, common: Common) -> None:
    if common.debug:
        traceback.print_exception(error)
    click.secho(words, fg="red", err=True)


if __name__ == "__main__":
    main()
