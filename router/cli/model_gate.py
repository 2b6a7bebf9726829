"""`router model gate`: may this bundle take the live one's place?"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from router.cli.context import settings_of
from router.cli.model_common import FOUND_FILE, models_option, progress
from router.cli.output import json_option, note, print_json, print_table

if TYPE_CHECKING:
    from router.model.gate import Line

_SHARE = click.FloatRange(0, 1)
_FACTOR = click.FloatRange(min=0, min_open=True)


@click.command("gate")
@click.argument("new", metavar="NEW")
@click.option("--against", default="", help="The bundle to beat; else the live one.")
@click.option(
    "--data",
    type=FOUND_FILE,
    multiple=True,
    required=True,
    help="CSV or .jsonl: text, label, perhaps language and flags. May be given again.",
)
@click.option("--policy", default="", help="Gives queues and thresholds; else ROUTER_POLICY.")
@click.option(
    "--tolerance", type=_SHARE, default=0.01, show_default=True, help="A loss that counts as none."
)
@click.option(
    "--hard",
    type=_SHARE,
    default=0.05,
    show_default=True,
    help="A loss that is refused however uncertain it is.",
)
@click.option(
    "--least",
    type=click.IntRange(1),
    default=30,
    show_default=True,
    help="Fewer messages than this are not judged.",
)
@click.option(
    "--slower", type=_FACTOR, default=1.25, show_default=True, help="Most times the median time."
)
@click.option(
    "--larger", type=_FACTOR, default=1.25, show_default=True, help="Most times the bytes."
)
@models_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the verdict goes; else models/gates/NAME@VERSION.json, where promote looks.",
)
@json_option
@click.pass_context
def gate_command(  # noqa: PLR0917 - click passes options by name
    context: click.Context,
    new: str,
    against: str,
    data: tuple[Path, ...],
    policy: str,
    tolerance: float,
    hard: float,
    least: int,
    slower: float,
    larger: float,
    models: Path,
    out: Path | None,
    as_json: bool,
) -> int:
    """Refuse a bundle that is worse than another. Exit code 0: passed, 1: refused.

    Both answer the same messages. NEW is refused where it loses more than --tolerance with 95 %
    certainty (paired bootstrap, one-sided), or more than --hard at all: of intents or queues, of
    any queue, any language, any safety flag (missed, or raised in vain), or out of scope; where it
    reads a language or knows a flag less; and where it is too slow or too large.

    \b
    Examples:
      router model gate banking@2 --data heldout.csv
      router model gate ours@1 --against banking@2 --data en.jsonl --data de.jsonl --larger 3
    """
    from router.core.paired import Tolerance
    from router.model.bundle import find_bundle
    from router.model.gate import Limits
    from router.model.gate_record import record_path, write_record
    from router.model.gating import hold
    from router.policies import open_policy

    settings = settings_of(context)
    limits = Limits(Tolerance(tolerance, hard, least), slower, larger)
    with progress("Asking both models") as advance:
        record, lines = hold(
            find_bundle(new, models),
            find_bundle(against, models),
            data,
            open_policy(policy or settings.policy),
            limits,
            at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            threads=settings.infer_threads,
            advance=advance,
        )
    name = "{name}@{version}".format(**record["new"])
    path = out or record_path(models, name)
    write_record(path, record)
    if as_json:
        print_json(record)
    else:
        columns = ("what", "messages", "live", "new", "difference", "at most", "verdict")
        print_table(columns, [_row(line) for line in lines])
        click.echo(f"{name} {'passed' if record['passed'] else 'is refused'}.")
        if not record["passed"]:
            _explain(lines)
        note(f"The verdict is in {path}.")
    return 0 if record["passed"] else 1


def _explain(lines: list[Line]) -> None:
    worse = [line.what for line in lines if line.verdict == "worse"]
    if worse:
        click.echo(f"Worse: {', '.join(worse)}.")
    else:
        click.echo("There are too few messages with an intent to judge by: give more --data.")


def _row(line: Line) -> tuple[str, ...]:
    verdict = "too few, not judged" if line.verdict == "too few" else line.verdict
    messages = str(line.n) if line.n or line.unit == "share" else "–"
    if line.live is None or line.new is None:
        return line.what, messages, "–", "–", "–", "–", verdict
    if line.unit == "share":
        upper = "–" if line.upper is None else f"{line.upper:+.4f}"
        figures = f"{line.live:.4f}", f"{line.new:.4f}", f"{line.new - line.live:+.4f}", upper
        return line.what, messages, *figures, verdict
    texts = {"ms": "{:.3f} ms", "bytes": "{:,.0f}", "count": "{:.0f}"}
    live, new = (texts[line.unit].format(value) for value in (line.live, line.new))
    times = f"× {line.new / line.live:.2f}" if line.live else "–"
    return line.what, messages, live, new, times, "–", verdict
