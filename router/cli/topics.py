"""`router topics`: create and list the topics that the router reads and writes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict

import click

from router.cli.context import settings_of
from router.cli.output import json_option, note, print_json, print_table
from router.policies import open_policy
from router.settings import Settings
from router.stream.admin import Difference, TopicState, differences, open_admin
from router.stream.topic_list import TopicSpec, wanted_topics

_Found = tuple[dict[str, TopicState], tuple[Difference, ...]]


@click.group()
def topics_group() -> None:
    """Create and list the topics.

    They are the inputs, one for each queue of the policy (ROUTER_POLICY), and the router's own.

    \b
    Example:
      router topics create --partitions 12 --replication 3
    """


@topics_group.command("create")
@click.option("--partitions", type=click.IntRange(1), help="Of each new topic; see topics.yaml.")
@click.option(
    "--replication", type=click.IntRange(1), help="Copies; else three, or one per broker if fewer."
)
@click.option("--dry-run", is_flag=True, help="Say what would be created, and create nothing.")
@json_option
@click.pass_context
def create_command(
    context: click.Context,
    partitions: int | None,
    replication: int | None,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Create the topics that are missing; alter and delete nothing.

    Those that exist and are set up otherwise are told. Exit code 1 where such a topic would make
    records get stuck or lost.

    \b
    Example:
      router topics create --dry-run
    """
    settings = settings_of(context)
    specs = wanted_topics(
        settings, _queues(settings), partitions=partitions, replication=replication
    )
    found, unlike = asyncio.run(_create(settings, specs, dry_run=dry_run))
    created = [spec.name for spec in specs if spec.name not in found]
    if as_json:
        existing = [spec.name for spec in specs if spec.name in found]
        told = [asdict(one) for one in unlike]
        print_json(
            {"dry_run": dry_run, "created": created, "existing": existing, "differences": told}
        )
    else:
        for name in created:
            click.echo(f"{'would create' if dry_run else 'created'}  {name}")
        click.echo(f"{len(created)} {'to create' if dry_run else 'created'}, {len(found)} existed.")
        _tell(unlike)
    return int(any(one.harmful for one in unlike))


@topics_group.command("list")
@json_option
@click.pass_context
def list_command(context: click.Context, as_json: bool) -> int:
    """List the topics with what the broker says of them. Exit code 1 where one is missing.

    \b
    Example:
      router topics list --json
    """
    settings = settings_of(context)
    specs = wanted_topics(settings, _queues(settings))
    found, unlike = asyncio.run(_look(settings, specs))
    if as_json:
        print_json([_row(spec, found.get(spec.name), unlike) for spec in specs])
    else:
        lines = [_line(spec, found.get(spec.name)) for spec in specs]
        print_table(("topic", "role", "partitions", "replication", "largest record"), lines)
        _tell(unlike)
    if len(found) < len(specs):
        note("`router topics create` creates what is missing.")
    return int(len(found) < len(specs))


async def _create(settings: Settings, specs: Sequence[TopicSpec], *, dry_run: bool) -> _Found:
    async with open_admin(settings) as admin:
        found = await admin.describe(spec.name for spec in specs)
        missing = [spec for spec in specs if spec.name not in found]
        if missing and not dry_run:
            await admin.create(missing)
    return found, _differences(specs, found)


async def _look(settings: Settings, specs: Sequence[TopicSpec]) -> _Found:
    async with open_admin(settings) as admin:
        found = await admin.describe(spec.name for spec in specs)
    return found, _differences(specs, found)


def _differences(
    specs: Sequence[TopicSpec], found: dict[str, TopicState]
) -> tuple[Difference, ...]:
    known = (spec for spec in specs if spec.name in found)
    return tuple(one for spec in known for one in differences(spec, found[spec.name]))


def _tell(unlike: Sequence[Difference]) -> None:
    for one in unlike:
        note(
            f"{'harmful' if one.harmful else 'differs'}: {one.topic} has {one.setting}="
            f"{one.found}, wanted {one.wanted}."
        )


def _row(
    spec: TopicSpec, state: TopicState | None, unlike: Sequence[Difference]
) -> dict[str, object]:
    return {
        "topic": spec.name,
        "role": spec.role,
        "exists": state is not None,
        "partitions": state.partitions if state else None,
        "replication": state.replication if state else None,
        "max_message_bytes": _largest(state),
        "differences": [asdict(one) for one in unlike if one.topic == spec.name],
    }


def _line(spec: TopicSpec, state: TopicState | None) -> tuple[str, ...]:
    if state is None:
        return (spec.name, spec.role, "missing", "", "")
    largest = _largest(state)
    counts = (str(state.partitions), str(state.replication))
    return (spec.name, spec.role, *counts, "" if largest is None else f"{largest:,}")


def _largest(state: TopicState | None) -> int | None:
    value = state.configs.get("max.message.bytes") if state else None
    return int(value) if value else None


def _queues(settings: Settings) -> tuple[str, ...]:
    return tuple(open_policy(settings.policy).queues)
