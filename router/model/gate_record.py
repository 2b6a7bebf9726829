"""A gate's verdict in a file, so that what is promoted is what was judged."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from router.core.decision import PolicyRef
from router.core.prediction import ModelRef
from router.errors import BundleError
from router.model.gate import Limits, Line

GATES = "gates"
"""The folder of the verdicts, beside `live.json`: one file a bundle, ``name@version.json``."""

_SCHEMA = "model-gate/v1"


@dataclass(frozen=True, slots=True)
class DataFile:
    file: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What was judged, by hash: both manifests, the data, the policy that gave the queues."""

    new: ModelRef
    against: ModelRef
    data: tuple[DataFile, ...]
    rows: int
    policy: PolicyRef


def record_path(models: Path, new: str) -> Path:
    """Where the verdict on ``new`` (``name@version``) is kept."""
    return models / GATES / f"{new}.json"


def record_of(
    judged: Judged, limits: Limits, lines: list[Line], at: str, *, passed: bool
) -> dict[str, Any]:
    """The verdict as JSON; ``at`` is when it was given."""
    return {
        "schema": _SCHEMA,
        "passed": passed,
        "at": at,
        **asdict(judged),
        "limits": asdict(limits),
        "lines": [asdict(line) for line in lines],
    }


def write_record(path: Path, record: Mapping[str, Any]) -> None:
    """Put ``record`` into the file ``path``, in one step.

    Raises:
        BundleError: it cannot be written.
    """
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new.write_bytes(orjson.dumps(record, option=orjson.OPT_INDENT_2) + b"\n")
        new.replace(path)
    except OSError as error:
        raise BundleError(f"{path} cannot be written: {error.strerror}.") from None


def objection(path: Path, new: ModelRef, live: ModelRef) -> str:
    """Why the verdict in ``path`` does not let ``new`` take the place of ``live``; empty: it does.

    Raises:
        BundleError: the file is there and cannot be read, or is no verdict.
    """
    if not path.is_file():
        return f"{name_of(new)} has been through no gate: {path} is missing"
    try:
        record = orjson.loads(path.read_bytes())
        hashes = (record["new"]["hash"], record["against"]["hash"])
        against = f"{record['against']['name']}@{record['against']['version']}"
        schema, passed = record["schema"], record["passed"]
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror}.") from None
    except (orjson.JSONDecodeError, KeyError, TypeError):
        schema = None
    if schema != _SCHEMA:
        raise BundleError(f"{path} is no verdict of a gate.", "Run `router model gate` again.")
    if hashes[0] != new.hash:
        return f"{name_of(new)} has changed since its gate: its manifest is another"
    if hashes[1] != live.hash:
        return f"{name_of(new)} was judged against {against}, and {name_of(live)} is live"
    if passed is not True:
        return f"{name_of(new)} was refused by its gate: {path} says why"
    return ""


def name_of(ref: ModelRef) -> str:
    return f"{ref.name}@{ref.version}"
