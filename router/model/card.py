"""A model card to be finished by who made the model: what is known is in it, and what is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_LISTED = 12
"""So many labels are named; the rest stand in `labels.json`."""


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


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_LISTED])
    return f"{shown} and {len(names) - _LISTED} more" if len(names) > _LISTED else shown


def _cell(value: str) -> str:
    return value.replace("|", "\\|").replace("\n", " ")
