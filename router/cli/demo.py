"""`router demo`: everything at once, on this machine alone."""

from __future__ import annotations

import sys

import click

from router.cli.context import settings_of
from router.cli.output import json_option, print_json
from router.errors import UsageError

_EVENTS = 300
_RATE = 25.0


@click.command()
@click.option("--events", type=click.IntRange(1), help=f"Messages to emit.  [default: {_EVENTS}]")
@click.option(
    "--seconds", type=click.FloatRange(0, min_open=True), help="How long to emit.  [default: 12]"
)
@click.option(
    "--rate",
    type=click.FloatRange(0, min_open=True),
    help=f"Messages a second; some come in a burst.  [default: {_RATE:g}]",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Another order and timing.")
@click.option("--broker", metavar="HOST:PORT", help="Use this broker, not the embedded one.")
@click.option(
    "--topic-prefix",
    help="With --broker: use the topics of this prefix, not fresh ones, and keep them. What "
    "already stands on the inputs is routed too.",
)
@click.option("--plain", is_flag=True, help="Lines, as where there is no terminal.")
@json_option
@click.pass_context
def demo_command(  # noqa: PLR0917 - click passes options by name
    context: click.Context,
    events: int | None,
    seconds: float | None,
    rate: float | None,
    seed: int,
    broker: str | None,
    topic_prefix: str | None,
    plain: bool,
    as_json: bool,
) -> int:
    """See it all run: broker, topics, a worker, invented messages, and where each one goes.

    Without --broker nothing outside this machine is asked, and nothing is left running or on
    disk. On a broker of yours it uses a group and topics of its own, and takes the topics away at
    the end. Exit code 1 where a message is not accounted for.

    \b
    Examples:
      router demo
      router demo --events 5000 --rate 500
      router demo --broker 127.0.0.1:9092 --json
    """
    if topic_prefix is not None and broker is None:
        raise click.UsageError("--topic-prefix goes with --broker.", context)
    events, seconds = _amount(events, seconds, rate)
    settings = settings_of(context)
    # Imported late: `router demo --help` must not wait for Kafka's and rich's modules.
    from rich.console import Console

    from router.demo import run, screen, summary
    from router.policies import open_policy

    console = Console(width=None if sys.stdout.isatty() else 100)
    queues = tuple(open_policy(settings.policy).queues)
    shown: screen.Screen
    if as_json:
        shown = screen.SilentScreen()
    elif plain or not console.is_terminal:
        shown = screen.PlainScreen(console)
    else:
        shown = screen.LiveScreen(console, queues)
    options = run.Options(
        events=events, seconds=seconds, seed=seed, broker=broker, topic_prefix=topic_prefix
    )
    result = run.run_demo(options, settings, queues, shown)
    if as_json:
        print_json(result.as_json())
    else:
        summary.show(result, console)
    return 0 if result.ok else 1


def _amount(events: int | None, seconds: float | None, rate: float | None) -> tuple[int, float]:
    """How many records over how many seconds; two of the three numbers give the third.

    Raises:
        UsageError: all three are given.
    """
    if events is not None and seconds is not None:
        if rate is not None:
            raise UsageError("--events, --seconds and --rate contradict.", "Give two of them.")
        return events, seconds
    rate = rate or _RATE
    if seconds is not None:
        return max(1, round(seconds * rate)), seconds
    events = events or _EVENTS
    return events, events / rate
