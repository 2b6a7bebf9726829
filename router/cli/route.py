"""`router route`: decide about messages here, without Kafka, with the worker's own line."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import click

from router.assembly import build_line
from router.cli.context import settings_of
from router.cli.output import json_option, note
from router.cli.progress import Progress
from router.cli.route_input import Asked, InputReader
from router.cli.route_output import answer_json, answer_words
from router.core.line import Line
from router.core.topics import Channel
from router.errors import UsageError
from router.ops.clock import SystemClock
from router.ops.exceptions import describe
from router.settings import Settings

_FILES = (".jsonl", ".ndjson", ".json", ".eml")


@click.command(name="route")
@click.argument("message", nargs=-1)
@click.option(
    "--email",
    type=click.File("rb"),
    multiple=True,
    help="Decide about an email in RFC 5322 form (.eml). May be given again.",
)
@click.option(
    "--channel",
    type=click.Choice(["chat", "email"]),
    help="What JSON lines are; else each line's `schema` or fields tell.",
)
@click.option("--policy", help="A policy file, in place of ROUTER_POLICY.")
@click.option("--model", help="A bundle's folder or name@version, in place of ROUTER_MODEL.")
@json_option
@click.pass_context
def route_command(
    context: click.Context,
    *,
    message: tuple[str, ...],
    email: tuple[BinaryIO, ...],
    channel: Channel | None,
    policy: str | None,
    model: str | None,
    as_json: bool,
) -> None:
    """Decide about messages, and say why, without Kafka.

    MESSAGE is a message's text, a file of JSON lines, an .eml file, or - for standard input. A
    JSON line is a whole event, as in Kafka, or just {"text": …}, perhaps with "id", "language",
    "locale" or a policy's own fields. Lines of standard input are texts until the first that
    starts with {; blank lines are passed over.

    With --json, each line gets one object, in order. A line that is no event gets the queue
    router.dead-letter with reason and field; it is answered too, so the exit code is 0.

    \b
    Examples:
      router route "my card has not arrived yet"
      router route --json events.jsonl
      router route --email message.eml
      cut -f2 messages.tsv | router route -
    """
    settings = settings_of(context)
    settings = replace(settings, policy=policy or settings.policy, model=model or settings.model)
    clock = SystemClock()
    reader = InputReader(settings.topics(), clock, channel)
    questions = _questions(context, reader, message, email)
    line = build_line(settings, clock, _tell_fault)
    _answer(line, questions, settings, machine=as_json)


def _questions(
    context: click.Context,
    reader: InputReader,
    message: tuple[str, ...],
    emails: Iterable[BinaryIO],
) -> Iterator[Asked]:
    """Opens what is to be read before the model is loaded, which takes longer."""
    mails = [reader.email(mail.read(), number) for number, mail in enumerate(emails, start=1)]
    if mails and message:
        raise UsageError("Give a MESSAGE or --email, not both.")
    if mails:
        return iter(mails)
    if not message:
        raise UsageError("Give a message, a file, or - for standard input.", "See --help.")
    if message == ("-",):
        return reader.lines(sys.stdin.buffer, json_only=False)
    return _of_argument(context, reader, message)


def _of_argument(
    context: click.Context, reader: InputReader, message: tuple[str, ...]
) -> Iterator[Asked]:
    text = " ".join(message)
    path = Path(text)
    if not _is_file(path):
        if path.suffix in _FILES and " " not in text:
            raise UsageError(f"There is no file {text}.")
        return iter([reader.text(text)])
    try:
        if path.suffix == ".eml":
            return iter([reader.email(path.read_bytes())])
        return reader.lines(context.with_resource(path.open("rb")), json_only=True)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a long message is no possible name
        return False


_AT_ONCE = 256
"""Lines of a file that are answered together: enough to be fast, few enough to be seen coming."""


def _answer(line: Line, questions: Iterator[Asked], settings: Settings, *, machine: bool) -> None:
    # A count among the answers would be in their way.
    progress = Progress("decided", shown=not sys.stdout.isatty())
    size = 1 if sys.stdin.isatty() else min(_AT_ONCE, settings.batch_records)
    numbered = False
    while batch := list(islice(questions, size)):
        fetched_at = SystemClock().monotonic()
        outcomes = line.route([asked.record for asked in batch], fetched_at)
        answers = list(zip(batch, outcomes, strict=True))
        numbered = numbered or len(batch) > 1
        progress.clear()
        if machine:
            click.echo("\n".join(answer_json(asked, outcome) for asked, outcome in answers))
        else:
            blocks = (answer_words(asked, outcome, numbered=numbered) for asked, outcome in answers)
            click.echo("\n\n".join(blocks))
        progress.add(len(batch))


def _tell_fault(where: str, error: Exception) -> None:
    note(f"{where}: {describe(error)}")
