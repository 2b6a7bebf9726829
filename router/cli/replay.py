"""`router replay`: dead letters that come back, and past input decided anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import click

from router.assembly import build_line
from router.cli.context import settings_of
from router.cli.interruptible import run
from router.cli.output import json_option
from router.cli.replay_dead_letter import dead_letter_command
from router.cli.replay_options import Time, input_topics, tell_fault, working
from router.cli.replay_output import print_comparison
from router.errors import UsageError
from router.ops.clock import SystemClock
from router.stream.replay_decisions import Period, redecide


@click.group()
def replay_group() -> None:
    """Send mended dead letters again, or decide past input anew.

    \b
    Examples:
      router replay dead-letter
      router replay decisions --from 2026-03-02T08:00:00Z --to 2026-03-02T09:00:00Z
    """


replay_group.add_command(dead_letter_command)


@replay_group.command("decisions")
@click.option("--from", "first", type=Time(), required=True, help="First broker time.")
@click.option("--to", "last", type=Time(), required=True, help="First broker time after.")
@click.option("--topic", multiple=True, help="Only this input topic. May be given again.")
@click.option("--policy", help="A policy file, in place of ROUTER_POLICY.")
@click.option("--model", help="A bundle's folder or name@version, in place of ROUTER_MODEL.")
@click.option(
    "--limit", type=click.IntRange(1), help="At most so many records, spread over the partitions."
)
@click.option("--show", type=click.IntRange(0), default=20, help="Changes listed; default 20.")
@click.option("--fail-on-change", is_flag=True, help="Exit code 1 where anything would change.")
@json_option
@click.pass_context
def decisions_command(
    context: click.Context,
    *,
    first: datetime,
    last: datetime,
    topic: tuple[str, ...],
    policy: str | None,
    model: str | None,
    limit: int | None,
    show: int,
    fail_on_change: bool,
    as_json: bool,
) -> int:
    """Decide past input anew, and say what would change. Writes nothing.

    The input between two broker times is read from its topics and decided by the policy and model
    in force or given here; the decisions made then are read from router.decisions. An input without
    one (it was a dead letter, or the decision has expired) is counted as unmatched.

    \b
    Examples:
      router replay decisions --from 2026-03-02T08:00:00Z --to 2026-03-02T09:00:00Z \\
        --policy next.yaml
      router replay decisions --from 2026-03-01T00:00:00Z --to 2026-03-02T00:00:00Z \\
        --model banking@2 --limit 10000 --json
    """
    if first >= last:
        raise UsageError("--from must be before --to.", "Give the earlier time to --from.")
    settings = settings_of(context)
    settings = replace(settings, policy=policy or settings.policy, model=model or settings.model)
    period = Period(
        topics=input_topics(settings, topic),
        first=first.timestamp(),
        last=last.timestamp(),
        limit=limit,
        keep=show,
    )
    with working("reading the model", lambda: "Interrupted. Nothing was written.") as progress:
        line = build_line(settings, SystemClock(), tell_fault)
        progress("asking the broker", 0)
        comparison = run(redecide(settings, line, period, progress))
    print_comparison(comparison, as_json=as_json)
    return int(fail_on_change and comparison.changed > 0)
