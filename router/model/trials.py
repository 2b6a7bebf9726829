"""A shadow or a canary beside the live bundle: put there, and taken away, in `live.json`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from router.model.live import LIVE, Canary, Live, read_live, write_live
from router.model.promotion import check_gate, loaded


def set_shadow(models: Path, name: str | None) -> Live:
    """Have the bundle ``name`` predict beside the live one and decide nothing; None ends that.

    Raises:
        BundleError: it does not load, or `live.json` is malformed or cannot be written.
    """
    if name is not None:
        loaded(models, name)
    return _write(models, replace(read_live(models / LIVE), shadow=name))


def set_canary(models: Path, name: str | None, share: float = 0.0) -> Live:
    """Have the bundle ``name`` decide for ``share`` of the conversations; None ends that.

    Raises:
        NotPromotedError: it has passed no gate against the live bundle.
        BundleError: it does not load, or `live.json` is malformed or cannot be written.
    """
    live = read_live(models / LIVE)
    if name is not None:
        check_gate(models, name, live.live)
    return _write(models, replace(live, canary=Canary(name, share) if name is not None else None))


def _write(models: Path, live: Live) -> Live:
    write_live(models / LIVE, live)
    return live
