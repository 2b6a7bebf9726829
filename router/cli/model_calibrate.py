"""`router model calibrate`: a bundle's probabilities fitted to other texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from router.cli.model_common import FOLDER, FOUND_FILE, doubts, figure, found, progress
from router.cli.output import json_option, note, print_json, print_level, print_table

Told = Mapping[str, Any]


@click.command("calibrate")
@click.argument("bundle")
@click.option(
    "--data",
    type=FOUND_FILE,
    required=True,
    help="CSV or .jsonl: text, label, perhaps language and flags.",
)
@click.option("--out", type=FOLDER, required=True, help="The new bundle, …/NAME/VERSION.")
@click.option("--language", default="en", show_default=True, help="Of rows that name none.")
@json_option
@click.pass_context
def calibrate_command(  # noqa: PLR0917 - click passes options by name
    context: click.Context, bundle: str, data: Path, out: Path, language: str, as_json: bool
) -> None:
    """Fit BUNDLE's probabilities to labelled texts that it has not seen: a new version of it.

    Temperature, scope, safety flags and prediction sets are fitted anew, by language where there
    are 200 texts of it; its graphs stay as they are. At least 250 different texts with an intent
    are needed. Take them as they come in: corrections alone are where the model was wrong, and
    would make it doubt everything. What the texts are too few to tell stays as it was.

    A stage that answers what it is sure of gets its threshold anew too, by the rule of `cascade`;
    where the texts cannot show one, nothing is written.

    \b
    Examples:
      router model calibrate ours@1 --data messages.csv --out models/ours/2
      router model calibrate models/ours/1 --data messages.jsonl --out models/ours/2 --json
    """
    from router.model.classifier import load_classifier
    from router.model.labelled import read_labelled
    from router.training.next_version import refuse_what_exists
    from router.training.recalibrating import recalibrate

    refuse_what_exists(out)
    folder = found(context, bundle)
    for words in doubts(read_labelled(data, language), load_classifier(folder)):
        note(words)
    with progress("Asking the bundle") as advance:
        told = recalibrate(folder, data, out, language=language, advance=advance)
    if as_json:
        print_json(told)
        return
    print_table(("what", "before", "after"), _rows(told))
    for words in _notes(told):
        note(words)
    # Of the figures the one that no luck with bins can better.
    if told["after"]["brier"] >= told["before"]["brier"]:
        print_level("warn", "the probabilities are no better than before", "keep the old version.")
    note(f"Written: {out}. Measure it on texts that are not in {data.name}, and let it gate.")


def _rows(told: Told) -> Iterator[tuple[str, str, str]]:
    from router.model.card import RECALIBRATED

    before, after = told["before"], told["after"]
    for key, what in RECALIBRATED.items():
        yield what, figure(before[key]), figure(after[key])
    for stage, one in told["stages"].items():
        yield _both(f"{stage}: temperature", one["temperature"])
        for language, temperature in one["languages"].items():
            yield _both(f"{stage}, {language}: temperature", temperature)
        if one["accept"]:
            yield _both(f"{stage}: answers from a confidence of", one["accept"])
        if len(told["stages"]) > 1:
            shares = before["stages"][stage], after["stages"][stage]
            yield f"{stage}: share answered", figure(shares[0]), figure(shares[1])


def _both(what: str, values: Mapping[str, float]) -> tuple[str, str, str]:
    return what, figure(values["before"]), figure(values["after"])


def _notes(told: Told) -> Iterator[str]:
    yield (
        f"On {told['data']['texts']} texts. After: each fifth of them by what the other four "
        "fifths gave; written is what all of them gave."
    )
    if sum(left_out := told["data"]["left_out"].values()):
        yield f"Left out, for their label or their language: {sum(left_out)}."
    for stage, one in told["stages"].items():
        if not one["refitted"]:
            yield f"Stage {stage} stays as it was: too few texts in its languages."
        elif not one["scope"]:
            yield f"The scope of stage {stage} stays as it was: too few texts in or out of it."
