"""`live.json`: which bundle decides, which only watch or take a share, and which decided before."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from router.errors import BundleError

LIVE = "live.json"

NAME_AT_VERSION = re.compile(r"([A-Za-z0-9][\w.-]*)@([A-Za-z0-9][\w.-]*)")


@dataclass(frozen=True, slots=True)
class Canary:
    """``model`` (``name@version``) decides for ``share`` (0 to 1) of the conversations."""

    model: str
    share: float


@dataclass(frozen=True, slots=True)
class Past:
    """``live`` decided until ``at`` (ISO 8601, UTC), when another took its place."""

    live: str
    at: str


@dataclass(frozen=True, slots=True)
class Live:
    """Bundles by ``name@version``. ``history`` is newest last; a rollback goes to its last and
    takes it off."""

    live: str
    shadow: str | None = None
    canary: Canary | None = None
    history: tuple[Past, ...] = ()


def read_live(path: Path) -> Live:
    """What ``path`` says; ``{"live": "name@version"}`` is enough.

    Raises:
        BundleError: the file cannot be read, or is not of that form; the error names the key.
    """
    try:
        content = orjson.loads(path.read_bytes())
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror}.") from None
    except orjson.JSONDecodeError:
        content = None
    if not isinstance(content, dict) or not _is_reference(content.get("live")):
        raise BundleError(
            f'{path} does not say which bundle is live as {{"live": "name@version"}}.'
        )
    if unknown := sorted(content.keys() - Live.__dataclass_fields__.keys()):
        raise _error(path, unknown[0], "is no key of it")
    shadow = content.get("shadow")
    if shadow is not None and not _is_reference(shadow):
        raise _error(path, "shadow", "must be name@version, or null")
    history = content.get("history", [])
    if not isinstance(history, list):
        raise _error(path, "history", "must be a list")
    return Live(
        live=content["live"],
        shadow=shadow,
        canary=_canary(content.get("canary"), path),
        history=tuple(_past(one, path) for one in history),
    )


def write_live(path: Path, live: Live) -> None:
    """Replace ``path`` in one step: who reads it meanwhile sees the old content or the new.

    Raises:
        BundleError: the file cannot be written; the old one stands.
    """
    # Not by tempfile: its files are for one user, and the worker may run as another.
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with new.open("wb") as stream:
            stream.write(orjson.dumps(asdict(live), option=orjson.OPT_INDENT_2) + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        new.replace(path)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise BundleError(f"{path} cannot be written: {error.strerror}.") from None


def _canary(given: Any, path: Path) -> Canary | None:
    if given is None:
        return None
    if not _has_keys(given, Canary) or not _is_reference(given["model"]):
        raise _error(path, "canary", 'must be {"model": "name@version", "share": 0 to 1}, or null')
    share = given["share"]
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        raise _error(path, "canary.share", "must be from 0 to 1")
    return Canary(given["model"], float(share))


def _past(given: Any, path: Path) -> Past:
    if (
        not _has_keys(given, Past)
        or not _is_reference(given["live"])
        or not isinstance(given["at"], str)
    ):
        raise _error(path, "history", 'must hold {"live": "name@version", "at": time}')
    return Past(given["live"], given["at"])


def _has_keys(given: Any, of: type) -> bool:
    fields: Mapping[str, Any] = getattr(of, "__dataclass_fields__", {})
    return isinstance(given, dict) and given.keys() == fields.keys()


def _is_reference(given: Any) -> bool:
    return isinstance(given, str) and NAME_AT_VERSION.fullmatch(given) is not None


def _error(path: Path, key: str, what: str) -> BundleError:
    return BundleError(f"{path}: {key} {what}.")
