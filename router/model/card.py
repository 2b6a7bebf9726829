"""A model card to be finished by who made the model: what is known is in it, and what is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_LISTED = 12
"""So many labels are named; the rest stand in `labels.json`."""

RECALIBRATED = {
    "accuracy": "accuracy",
    "ece": "calibration error (ECE)",
    "brier": "Brier score",
    "set_coverage": "prediction set: coverage",
    "set_size": "prediction set: mean size",
    "in_scope_kept": "in scope, kept",
    "out_of_scope_kept": "out of scope, kept",
}
"""The figures that a calibration is told by, and what they are called."""


def card_of(
    manifest: Mapping[str, Any], intents: int, labels: Mapping[str, Any], missing: Sequence[str]
) -> str:
    """The card's text, in Markdown."""
    (stage,) = manifest["stages"]
    size = sum(file["bytes"] for file in manifest["files"].values())
    flags = labels.get("flags", [])
    encoder = manifest["encoder"]
    rows = {
        "languages": ", ".join(manifest["languages"]),
        "intents": f"{intents}: {_some(labels['intents'])}",
        "safety flags": _some(flags) if flags else "none",
        "made from": f"{encoder['name']} ({encoder['licence']}), {encoder['source']}",
        "form": f"ONNX opset {manifest['opset']}",
        "reads": f"{stage['max_tokens']} tokens; of a longer text head and tail",
        "size": f"{size / 1e6:.1f} MB",
    }
    table = "\n".join(f"| {what} | {_cell(value)} |" for what, value in rows.items())
    lacks = "\n".join(f"- {sentence}" for sentence in missing) or "- Nothing that can be seen."
    data = "\n".join(
        f"- **{one.get('file')}**, {one.get('source')}, {one.get('licence')}"
        for one in manifest["data"]
    )
    return f"""# {manifest["name"]} {manifest["version"]}

| | |
|---|---|
{table}

## What is not known yet

{lacks}

## Data

{data or "Not stated."}

## Measured

`router model evaluate --model {manifest["name"]}@{manifest["version"]} --data FILE` gives the
figures. Say here on what they were measured, and what was chosen by them.

## Limits

What it was not made for, whom it may serve worse, and what a wrong answer costs.
"""


def recalibrated_card(card: str, name: str, told: Mapping[str, Any]) -> str:
    """``card``, which may be empty, as that of the bundle ``name``, of other calibration; ``told``
    is what `router model calibrate` told."""
    before = "{name} {version}".format(**told["from"])
    first, _, rest = card.partition("\n")
    body = f"# What {before} says of itself\n{rest}" if first.startswith("# ") else card
    rows = "\n".join(
        f"| {what} | {_number(told['before'][key])} | {_number(told['after'][key])} |"
        for key, what in RECALIBRATED.items()
    )
    data = told["data"]
    languages = ", ".join(f"{code} {texts:,}" for code, texts in data["languages"].items())
    stay = [stage for stage, one in told["stages"].items() if not one["refitted"]]
    stays = f" Stages that stayed as they were: {', '.join(stay)}." if stay else ""
    return (
        f"""# {name}

{before} with the same graphs, calibrated on other texts by `router model calibrate`: \
`{_cell(data["file"])}`, SHA-256 `{data["sha256"]}`, {data["bytes"]:,} bytes, {data["texts"]:,} \
texts ({languages}). Where they come from, and under which licence, is not stated.{stays}

| on these texts | before | after |
|---|---|---|
{rows}

After is measured by {told["folds"]} folds: each text by a calibration that was fitted without it. \
The calibration here is fitted on all of them. Other figures below are those of {before}.

{body}""".rstrip()
        + "\n"
    )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_LISTED])
    return f"{shown} and {len(names) - _LISTED} more" if len(names) > _LISTED else shown


def _cell(value: str) -> str:
    return value.replace("|", "\\|").replace("\n", " ")
