"""A shadow or a canary beside the live bundle: put there, and taken away, in `live.json`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from router.core.prediction import ModelRef
from router.errors import BundleError
from router.model.bundle import find_bundle
from router.model.classifier import load_classifier
from router.model.live import LIVE, NAME_AT_VERSION, Canary, Live, read_live, write_live


def set_shadow(models: Path, name: str | None) -> Live:
    """Have the bundle ``name`` predict beside the live one and decide nothing; None ends that.

    Raises:
        BundleError: it does not load, or `live.json` is malformed or cannot be written.
    """
    if name is not None:
        open_trial(models, name)
    return _write(models, replace(read_live(models / LIVE), shadow=name))


def set_canary(models: Path, name: str | None, share: float = 0.0) -> Live:
    """Have the bundle ``name`` decide for ``share`` of the conversations; None ends that.

    Raises:
        BundleError: it does not load, or `live.json` is malformed or cannot be written.
    """
    live = read_live(models / LIVE)
    if name is not None:
        open_trial(models, name)
    return _write(models, replace(live, canary=Canary(name, share) if name is not None else None))


def open_trial(models: Path, name: str) -> ModelRef:
    """The reference of the bundle ``name``, which loads as it will in a worker.

    Raises:
        BundleError: it does not, or is not of that name.
    """
    if not NAME_AT_VERSION.fullmatch(name):
        raise BundleError(f"{name} is not of the form name@version.")
    folder = find_bundle(name, models)
    ref = load_classifier(folder).ref
    if f"{ref.name}@{ref.version}" != name:
        raise BundleError(
            f"{folder} says that it is {ref.name}@{ref.version}.",
            "Decisions would name another bundle than live.json: name the folders as it says.",
        )
    return ref


def _write(models: Path, live: Live) -> Live:
    write_live(models / LIVE, live)
    return live
