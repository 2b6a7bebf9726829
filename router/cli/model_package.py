"""`router model package`: somebody's graph, tokenizer and labels as a bundle."""

from __future__ import annotations

import re
from pathlib import Path

import click

from router.cli.model_common import FOLDER, FOUND_FILE
from router.cli.output import json_option, print_json, print_level
from router.cli.progress import Steps

_SAMPLE = re.compile(r"(?:([a-z]{2})=)?(.+)", re.DOTALL)


@click.command("package")
@click.option("--graph", type=FOUND_FILE, required=True, help="The ONNX file, weights inside.")
@click.option("--tokenizer", type=FOUND_FILE, required=True, help="Its tokenizer.json.")
@click.option(
    "--labels", type=FOUND_FILE, required=True, help='{"intents": […], "flags": […]}, as JSON.'
)
@click.option("--languages", required=True, help="ISO 639-1 codes that it reads, as in en,de.")
@click.option("--out", type=FOLDER, required=True, help="The bundle, …/NAME/VERSION.")
@click.option("--calibration", type=FOUND_FILE, help="calibration.json; else nothing is scaled.")
@click.option(
    "--about", type=FOUND_FILE, help="JSON for the manifest: encoder, data, training, metrics."
)
@click.option(
    "--max-tokens",
    type=click.IntRange(8, 8192),
    default=128,
    show_default=True,
    help="The longest text that it reads.",
)
@click.option(
    "--sample",
    "samples",
    multiple=True,
    help="An invented text, as in de=TEXT, whose answer is kept and asked again at each load.",
)
@json_option
def package_command(  # noqa: PLR0917 - click passes options by name
    graph: Path,
    tokenizer: Path,
    labels: Path,
    languages: str,
    out: Path,
    calibration: Path | None,
    about: Path | None,
    max_tokens: int,
    samples: tuple[str, ...],
    as_json: bool,
) -> None:
    """Make a bundle of a classifier made anywhere, and say what it still lacks.

    The graph takes input_ids and attention_mask (int64, batch × tokens) and gives intent_logits
    (batch × intents), scope_logit (batch) and, for labels with flags, flag_logits (batch × flags).
    What cannot work is refused with the reason, and nothing is written. Never give a customer's
    words as --sample: they stand in the manifest.

    \b
    Example:
      router model package --graph encoder.onnx --tokenizer tokenizer.json \\
          --labels labels.json --languages en,de --out models/ours/1
    """
    from router.core.prediction import Question
    from router.model.packaging import Parts, package

    codes = tuple(dict.fromkeys(re.findall(r"[^\s,]+", languages)))
    if not codes or not all(re.fullmatch("[a-z]{2}", code) for code in codes):
        raise click.BadParameter("give two-letter codes, as in en,de", param_hint="--languages")
    questions = []
    for sample in samples:
        match = _SAMPLE.fullmatch(sample)
        if match is None:
            raise click.BadParameter("a sample is empty", param_hint="--sample")
        questions.append(Question(match[2], match[1] or codes[0]))
    parts = Parts(graph, tokenizer, labels, codes, max_tokens, calibration, about, questions)
    with Steps("asking the graph"):
        classifier, missing = package(parts, out)
    ref = classifier.ref
    if as_json:
        whole = {"name": ref.name, "version": ref.version, "hash": ref.hash}
        print_json({"folder": str(out), **whole, "missing": missing})
        return
    print_level("ok", f"{ref.name}@{ref.version} in {out}, manifest {ref.hash}")
    for sentence in missing:
        print_level("warn", sentence)
