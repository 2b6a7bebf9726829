"""`router replay dead-letter`: list them, have them mended, send them again."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from router.assembly import build_line
from router.cli.context import settings_of
from router.cli.interruptible import run
from router.cli.output import json_option, note, print_json
from router.cli.replay_file import exporting, read_edits
from router.cli.replay_options import (
    Time,
    check_reasons,
    check_schemas,
    input_topics,
    tell_fault,
    working,
)
from router.cli.replay_output import Survey, print_letters, print_plan
from router.core.dead_letters import Wanted
from router.core.replaying import Judge, Standing
from router.errors import UsageError
from router.ops.clock import SystemClock
from router.settings import Settings
from router.stream.replay import Asked, DeadLetters

_file = click.Path(path_type=Path, dir_okay=False)


def _nothing() -> str:
    return "Interrupted. Nothing was sent."


@click.command("dead-letter")
@click.option("--reason", multiple=True, help="Only this router-reason. May be given again.")
@click.option("--field", multiple=True, help="Only this router-field. May be given again.")
@click.option("--schema", multiple=True, help="Only events of this schema, where it can be read.")
@click.option("--topic", multiple=True, help="Only what came in on this topic.")
@click.option("--since", type=Time(), help="Only what was set aside at this time or later.")
@click.option("--until", type=Time(), help="Only what was set aside before this time.")
@click.option("--limit", type=click.IntRange(1), help="At most so many; the list has 100.")
@click.option("--all", "with_replayed", is_flag=True, help="List those sent again already, too.")
@click.option("--show-text", is_flag=True, help="Print the events: they hold customers' words.")
@click.option("--export", type=_file, help="Write them to a new file, to be mended.")
@click.option("--re-emit", is_flag=True, help="Send again those that the router reads now.")
@click.option("--from", "edits", type=_file, help="Send those of this file, as they stand there.")
@click.option("--yes", is_flag=True, help="Do not ask before sending.")
@json_option
@click.pass_context
def dead_letter_command(
    context: click.Context,
    /,
    *,
    limit: int | None,
    with_replayed: bool,
    show_text: bool,
    export: Path | None,
    re_emit: bool,
    edits: Path | None,
    yes: bool,
    as_json: bool,
    **filters: Any,
) -> int:
    """List dead letters; send again those that have been mended, each once.

    A dead letter is mended when the router reads it now: by a new release, a policy, a limit that
    was raised; or by you, in a file that --export wrote and --re-emit --from takes back. The list
    says under `now` what would become of each. Events go back to their topic with their own key and
    headers, and a trail: router-replayed-at, router-replayed-from, router-attempts.

    What was sent again is noted on router.replays in the same transaction, so a second run, or a
    second operator, sends nothing twice. On a broker without transactions a run that is killed may
    send one event twice. Ctrl-C ends what is being sent, says how many went, and the same command
    goes on. Exit code 1 where a dead letter of --from cannot be sent.

    \b
    Examples:
      router replay dead-letter --reason too_large --since 2026-03-02T08:00:00Z
      router replay dead-letter --reason too_large --re-emit
      router replay dead-letter --field time --export mend.jsonl
      router replay dead-letter --re-emit --from mend.jsonl --yes
    """
    settings = settings_of(context)
    wanted = _wanted(settings, filters)
    if edits is not None and not re_emit:
        raise UsageError("--from goes with --re-emit.")
    if edits is not None and wanted != Wanted():
        raise UsageError("--from says which dead letters; it goes with no filter.")
    if export is not None and re_emit:
        raise UsageError("Give --export or --re-emit, not both.")
    edited = read_edits(edits) if edits is not None else None
    asked = Asked(wanted=wanted, edited=edited, whole=export is not None)
    if export is not None:
        return _export(settings, asked, export, limit, as_json=as_json)
    survey = Survey(
        100 if limit is None else limit, with_replayed=with_replayed, sought=set(edited or ())
    )
    with _letters(settings) as letters:
        ends = run(letters.look(asked, survey.add))
    if not letters.marks_seen:
        note(
            f"There is no {settings.topics().replays}, or its user may not see it: what was sent "
            "again already is not known here."
        )
    if not re_emit:
        print_letters(survey, show_text=show_text, as_json=as_json)
        return 0
    asked = replace(asked, ends=ends)
    return _re_emit(settings, letters.line, asked, survey, limit, yes=yes, as_json=as_json)


@contextmanager
def _letters(
    settings: Settings,
    line: Judge | None = None,
    interrupted: Callable[[], str] = _nothing,
) -> Iterator[DeadLetters]:
    clock = SystemClock()
    with working("reading the settings", interrupted) as steps:
        # Whether an event can be read needs no model.
        line = line or build_line(settings, clock, tell_fault, model=False)
        steps("asking the broker", 0)
        yield DeadLetters(settings, line, clock, steps)


def _export(
    settings: Settings, asked: Asked, path: Path, limit: int | None, *, as_json: bool
) -> int:
    with _letters(settings) as letters, exporting(path, limit) as export:
        run(letters.look(asked, export.add))
    if as_json:
        print_json({"exported": export.written, "file": str(path), "gone": export.gone})
    else:
        note(f"{export.written} written to {path}, which now holds customers' words.")
        note(f"Mend them, then: router replay dead-letter --re-emit --from {path}")
    if export.gone:
        note(f"{export.gone} left out: only their beginning is left anywhere.")
    return 0


def _re_emit(
    settings: Settings,
    line: Judge,
    asked: Asked,
    survey: Survey,
    limit: int | None,
    *,
    yes: bool,
    as_json: bool,
) -> int:
    planned = min(survey.states["accepted"], limit or sys.maxsize)
    failed = int(asked.edited is not None and bool(survey.sought or survey.unsendable))
    if planned and not yes:
        asking = sys.stdin.isatty()
        if not (asking and as_json):  # what follows then is the answer
            print_plan(survey, planned, as_json=as_json)
        if not asking:
            raise UsageError("Nothing was sent: there is no terminal to ask on.", "Add --yes.")
        if not click.confirm(f"Send {planned} again?", err=True):
            note("Nothing was sent.")
            return 1
    went: Counter[bool] = Counter()

    def done(standing: Standing, sent: bool) -> None:
        went[sent] += 1
        if not sent:
            topic = standing.letter.source.topic if standing.letter.source else ""
            note(f"{standing.letter.at}: too large for {topic}; raise its max.message.bytes.")

    def interrupted() -> str:
        return f"Interrupted. {went[True]} of {planned} were sent again; the same command goes on."

    delivery = None
    if planned:
        with _letters(settings, line, interrupted) as letters:
            delivery = run(letters.send_again(asked, limit, done))
    print_plan(survey, planned, as_json=as_json, sent=went[True], delivery=delivery)
    return max(failed, int(went[False] > 0))


def _wanted(settings: Settings, filters: dict[str, Any]) -> Wanted:
    topics, since, until = filters["topic"], filters["since"], filters["until"]
    check_reasons(filters["reason"])
    check_schemas(filters["schema"])
    if since is not None and until is not None and since >= until:
        raise UsageError("--since must be before --until.", "Give the earlier time to --since.")
    return Wanted(
        reasons=frozenset(filters["reason"]),
        fields=frozenset(filters["field"]),
        schemas=frozenset(filters["schema"]),
        topics=frozenset(input_topics(settings, topics) if topics else ()),
        since=since,
        until=until,
    )
