"""`router model`: from data to a bundle, and from a bundle to the live model."""

from __future__ import annotations

from pathlib import Path

import click

from router.cli.context import settings_of
from router.cli.model_bundles import list_command, show_command, verify_command
from router.cli.model_common import FOUND_FILE, figure, found, measure
from router.cli.model_gate import gate_command
from router.cli.model_live import canary_command, shadow_command
from router.cli.model_package import package_command
from router.cli.model_promote import promote_command, rollback_command
from router.cli.model_train import export_command, split_command, train_command
from router.cli.output import json_option, print_json, print_table


@click.group()
def model_group() -> None:
    """Make, measure, compare and promote model bundles.

    \b
    Examples:
      router model list
      router model package --graph encoder.onnx --tokenizer tokenizer.json \\
          --labels labels.json --languages en --out models/ours/1
      router model gate ours@1 --against banking-en@1 --data heldout.csv
      router model promote ours@1
    """


@model_group.command("evaluate")
@click.option("--data", type=FOUND_FILE, required=True, help="CSV or .jsonl: text, label.")
@click.option(
    "--model", "spec", default="", help="Bundle folder or name@version; else ROUTER_MODEL."
)
@click.option("--policy", default="", help="Maps intents to queues; else ROUTER_POLICY.")
@json_option
@click.pass_context
def evaluate_command(
    context: click.Context, data: Path, spec: str, policy: str, as_json: bool
) -> None:
    """Measure a bundle on labelled texts.

    Columns are text, label and perhaps language. A label is an intent, out_of_scope, or in_scope
    for a bank's business of no intent in particular, which counts for scope alone.

    \b
    Example:
      router model evaluate --data heldout.csv --json
    """
    from router.model.classifier import load_classifier

    settings = settings_of(context)
    classifier = load_classifier(found(context, spec), settings.infer_threads)
    report = measure(context, classifier, data, policy)
    if as_json:
        print_json(report)
        return
    for name, value in report.items():
        if not isinstance(value, dict):
            click.echo(f"{name:22} {figure(value)}")
    for name in ("coverage_at_risk", "queue_coverage_at_risk"):
        shares = report.get(name, {}).items()
        click.echo(f"{name:22} " + ", ".join(f"{r}: {figure(s)}" for r, s in shares))
    rows = [(name, *map(figure, row.values())) for name, row in report["per_queue"].items()]
    print_table(("queue", "n", "recall", "precision"), rows)


for _command in (
    *(split_command, train_command, export_command, package_command),
    *(list_command, show_command, verify_command),
    *(gate_command, promote_command, rollback_command, canary_command, shadow_command),
):
    model_group.add_command(_command)
