"""`router model`: from data to a bundle, and from a bundle to the live model."""

from __future__ import annotations

import click

from router.cli.model_bundles import list_command, show_command, verify_command
from router.cli.model_calibrate import calibrate_command
from router.cli.model_cascade import cascade_command
from router.cli.model_evaluate import evaluate_command
from router.cli.model_gate import gate_command
from router.cli.model_live import canary_command, shadow_command
from router.cli.model_package import package_command
from router.cli.model_promote import promote_command, rollback_command
from router.cli.model_quantise import quantise_command
from router.cli.model_train import export_command, split_command, train_command


@click.group()
def model_group() -> None:
    """Make, measure, compare and promote model bundles.

    \b
    Examples:
      router model list
      router model package --graph encoder.onnx --tokenizer tokenizer.json \\
          --labels labels.json --languages en --out models/ours/1
      router model calibrate ours@1 --data messages.csv --out models/ours/2
      router model gate ours@2 --against banking@2 --data heldout.csv
      router model promote ours@2
    """


for _command in (
    *(split_command, train_command, export_command, cascade_command),
    *(quantise_command, package_command, calibrate_command),
    *(evaluate_command, list_command, show_command, verify_command),
    *(gate_command, promote_command, rollback_command, canary_command, shadow_command),
):
    model_group.add_command(_command)
