"""Finding a bundle and vouching for it: every byte is hashed before any is used."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from router.core.calibration import StageCalibration
from router.core.prediction import ModelRef
from router.errors import BundleError
from router.model.calibrations import read_calibrations
from router.model.live import LIVE, NAME_AT_VERSION, read_live
from router.model.manifest import MANIFEST, Manifest, parse_manifest

READ_BY_PEOPLE = frozenset({"README.md"})
"""Files that may lie in a bundle without a hash: nothing loads them."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A verified bundle. ``files`` holds the very bytes that were hashed, so that what is loaded
    is what was checked even when the folder changes meanwhile."""

    folder: Path
    ref: ModelRef
    manifest: Manifest
    intents: tuple[str, ...]
    flags: tuple[str, ...]
    calibrations: Mapping[str, StageCalibration]
    files: Mapping[str, bytes]


def find_bundle(spec: str, models: Path) -> Path:
    """The folder that ``spec`` names: empty is the live bundle of ``models``, ``name@version`` one
    of its bundles, anything else a folder.

    Raises:
        BundleError: there is no such folder, or ``live.json`` cannot be read.
    """
    if not spec:
        return find_bundle(read_live(models / LIVE).live, models)
    match = NAME_AT_VERSION.fullmatch(spec)
    folder = models / match[1] / match[2] if match else Path(spec)
    if not (folder / MANIFEST).is_file():
        raise BundleError(
            f"There is no model bundle {spec}: {folder / MANIFEST} is missing.",
            "Give a bundle's folder or name@version, or leave ROUTER_MODEL empty.",
        )
    return folder


def read_bundle(folder: Path) -> Bundle:
    """Read and verify the bundle in ``folder``.

    Raises:
        BundleError: a file is missing, unlisted, or not what the manifest says; or the labels or
            the calibration do not fit the stages.
    """
    source = _read(folder / MANIFEST)
    manifest = parse_manifest(source, folder / MANIFEST)
    files = {name: _verified(folder, name, manifest) for name in manifest.files}
    _refuse_unlisted(folder, manifest)
    for name in _named_files(manifest):
        if name not in files:
            raise BundleError(
                f"{folder / MANIFEST} uses {name} but lists no hash of it under files."
            )
    labels = _json(files[manifest.labels], folder / manifest.labels)
    intents = _names(labels, "intents", folder / manifest.labels)
    flags = _names({"flags": []} | labels, "flags", folder / manifest.labels)
    if not intents:
        raise BundleError(f"{folder / manifest.labels} must name at least one intent.")
    _check_stages(manifest, folder)
    for output, names in (("intent_logits", intents), ("flag_logits", flags)):
        _check_width(manifest, output, len(names), folder)
    return Bundle(
        folder=folder,
        ref=ModelRef(manifest.name, manifest.version, hashlib.sha256(source).hexdigest()),
        manifest=manifest,
        intents=intents,
        flags=flags,
        calibrations=read_calibrations(
            _json(files[manifest.calibration], folder / manifest.calibration),
            [stage.name for stage in manifest.stages],
            intents,
            flags,
            folder / manifest.calibration,
        ),
        files=files,
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror}.") from None


def _verified(folder: Path, name: str, manifest: Manifest) -> bytes:
    wanted, content = manifest.files[name], _read(folder / name)
    if len(content) != wanted.bytes or hashlib.sha256(content).hexdigest() != wanted.sha256:
        raise BundleError(
            f"{folder / name} is not the file of the manifest: its SHA-256 or size differs.",
            "Restore the bundle from where it was released.",
        )
    return content


def _refuse_unlisted(folder: Path, manifest: Manifest) -> None:
    known = manifest.files.keys() | READ_BY_PEOPLE | {MANIFEST}
    if unknown := sorted({path.name for path in folder.iterdir()} - known):
        raise BundleError(
            f"{folder / unknown[0]} is not listed in the manifest.",
            "A graph could refer to data that no hash covers: list the file or remove it.",
        )


def _named_files(manifest: Manifest) -> list[str]:
    stages = [name for stage in manifest.stages for name in (stage.graph, stage.tokenizer)]
    return [manifest.labels, manifest.calibration, *stages]


def _json(source: bytes, path: Path) -> Any:
    try:
        return orjson.loads(source)
    except orjson.JSONDecodeError as error:
        raise BundleError(f"{path} is not JSON: {error}.") from None


def _names(labels: Any, key: str, path: Path) -> tuple[str, ...]:
    names = labels.get(key) if isinstance(labels, dict) else None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BundleError(f'{path} must hold {{"{key}": ["name", …]}}.')
    if len(set(names)) != len(names):
        raise BundleError(f"{path} names one of its {key} twice.")
    return tuple(names)


def _check_stages(manifest: Manifest, folder: Path) -> None:
    if len({stage.name for stage in manifest.stages}) != len(manifest.stages):
        raise BundleError(f"Two stages of {folder} share a name.")
    if manifest.stages[-1].languages is not None:
        raise BundleError(
            f"The last stage of {folder}, {manifest.stages[-1].name}, is kept to some languages.",
            "Leave its languages out: a text whose language is not known needs an answer too.",
        )


def _check_width(manifest: Manifest, output: str, names: int, folder: Path) -> None:
    for stage in manifest.stages:
        tensor = stage.outputs.get(output)
        if tensor is None and not names:
            continue
        width = tensor.shape[-1:] if tensor else ()
        if width != (names,):
            raise BundleError(
                f"Stage {stage.name} of {folder} gives {width} {output} for {names} labels.",
                "Labels and graph are of different models: export the bundle again.",
            )
