"""`router doctor`: check all that the worker needs, and say what to do about each failure."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from dataclasses import asdict

import click

from router.cli.broker_checks import broker_findings
from router.cli.checks import Finding, failure, local_findings
from router.cli.context import settings_of
from router.cli.output import json_option, print_json, print_level
from router.errors import RouterError, SettingsError
from router.ops.logging import quiet_client
from router.policies import open_policy
from router.settings import Settings


@click.command(name="doctor")
@click.option("--no-broker", is_flag=True, help="Only what can be checked on this machine.")
@json_option
@click.pass_context
def doctor_command(context: click.Context, *, no_broker: bool, as_json: bool) -> int:
    """Check the settings, schemas, policy, model, port, broker and topics.

    Each answer is ok, warn or fail, with what to do. Exit code 1 where one fails.

    \b
    Examples:
      router --config production.env doctor
      router doctor --no-broker --json
    """
    findings: list[Finding] = []
    try:
        settings = settings_of(context)
    except SettingsError as error:
        findings.append(failure("settings", error))
    else:
        findings += local_findings(settings, os.environ)
        if not no_broker:
            with quiet_client():
                findings += asyncio.run(_ask(settings))
    counts = Counter(finding.level for finding in findings)
    if as_json:
        print_json({"ok": not counts["fail"], "checks": [asdict(one) for one in findings]})
    else:
        for one in findings:
            print_level(one.level, one.check, one.says, one.fix)
        click.echo(f"{counts['ok']} ok, {counts['warn']} to look at, {counts['fail']} failed.")
    return int(bool(counts["fail"]))


async def _ask(settings: Settings) -> list[Finding]:
    return [finding async for finding in broker_findings(settings, _queues(settings))]


def _queues(settings: Settings) -> tuple[str, ...] | None:
    try:
        return tuple(open_policy(settings.policy).queues)
    except RouterError:  # told already
        return None
