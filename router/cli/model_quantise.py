"""`router model quantise`: a float32 encoder's graph in int8."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from router.cli.model_common import FOUND_FILE
from router.cli.output import json_option, note, print_json, print_level, print_table
from router.cli.progress import Steps
from router.errors import UsageError

if TYPE_CHECKING:
    from router.training.int8_check import Compared
    from router.training.quantising import Quantised

_SAME = 1e-5
"""Adding up in another order moves a float32 by less."""


@click.command("quantise")
@click.argument("graph", metavar="MODEL.onnx", type=FOUND_FILE)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The int8 graph; a file that is there is not written over.",
)
@json_option
def quantise_command(graph: Path, out: Path, as_json: bool) -> None:
    """Make an int8 graph of a float32 one: a quarter of the bytes, about three times as fast.

    Each MatMul and Gemm with a constant weight takes int8 weights with a scale a column and
    activations that are quantised a row at a time: a text's answer does not depend on its batch,
    as it does after ONNX Runtime's own dynamic quantisation. Large tables that are looked up
    become int8 with a scale a row. Both graphs are then asked invented token ids. It needs onnx,
    which comes with the extra `train`.

    \b
    Examples:
      router model quantise encoder.onnx --out encoder-int8.onnx
      router model quantise encoder.onnx --out encoder-int8.onnx --json
    """
    from router.training.extra import require_extra

    require_extra("onnx")
    from router.training.int8_check import compare
    from router.training.quantising import quantise

    if out.exists():
        raise UsageError(f"{out} is there already.", "Give --out another name.")
    content = graph.read_bytes()
    with Steps("quantising"):
        made = quantise(content, graph)
        compared = compare(content, made.content, made.pieces)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(made.content)
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}.") from None
    if as_json:
        print_json(_report(content, made, compared))
    else:
        _print(content, made, compared)
        note(f"Written: {out}")


def _report(before: bytes, made: Quantised, compared: Compared | str) -> dict[str, Any]:
    return {
        "products": made.products,
        "tables": made.tables,
        "bytes": {"before": len(before), "after": len(made.content)},
        "difference": None if isinstance(compared, str) else dict(compared.off),
        "batch_difference": None if isinstance(compared, str) else dict(compared.company),
        "not_compared": compared if isinstance(compared, str) else None,
    }


def _print(before: bytes, made: Quantised, compared: Compared | str) -> None:
    sizes = f"{len(before) / 1e6:.2f} MB", f"{len(made.content) / 1e6:.2f} MB"
    rows = [
        ("size", " → ".join(sizes)),
        ("MatMul and Gemm in int8", str(made.products)),
        ("tables in int8", str(made.tables)),
    ]
    if isinstance(compared, str):
        print_table(("what", "value"), rows)
        print_level("warn", "the graphs were not compared", f"{compared}.")
        return
    for name, value in compared.off.items():
        rows.append((f"{name}: largest difference to float32", f"{value:.2%}"))
    for name, value in compared.company.items():
        rows.append((f"{name}: the same text alone and among others", f"{value:.1e}"))
    print_table(("what", "value"), rows)
    note("Differences are shares of an output's largest value, on invented token ids.")
    if (worst := max(compared.company.values())) > _SAME:
        print_level(
            "warn",
            "a text's answer depends on its batch",
            f"by {worst:.1e} of the output.",
            "What stayed in float32 mixes rows, or adds them up in another order.",
        )
