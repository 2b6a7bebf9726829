"""Following `live.json`: what it names is loaded, verified, and only then to be in force.

A bundle that does not load is refused, once for each state of its files, and what is in force
stays: the live model where it was to be replaced, no canary or shadow where it was to be one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from router.core.choosing import Role
from router.core.prediction import Classifier
from router.errors import BundleError
from router.model.bundle import find_bundle
from router.model.live import LIVE, Canary, Live, read_live

Load = Callable[[Path], Classifier]
"""Opens the bundle in a folder, verified.

Raises:
    BundleError: it does not load.
"""

OnRefused = Callable[[Role, BundleError], None]
"""Told of each refusal once; a ``live.json`` that cannot be read is the live model's."""

_Stamp = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class Found:
    """The classifiers to be in force. Of one bundle it is the same object as long as it is."""

    live: Classifier
    canary: Classifier | None = None
    share: float = 0.0
    shadow: Classifier | None = None


class Follower:
    """Looks at ``live.json`` when it is asked to, in one thread at a time."""

    def __init__(self, models: Path, load: Load, on_refused: OnRefused, live: Classifier) -> None:
        """``live`` is in force already; ``models`` is the folder of ``live.json``."""
        self._models = models
        self._load = load
        self._on_refused = on_refused
        self._found = Found(live)
        self._loaded = {f"{live.ref.name}@{live.ref.version}": live}
        self._refused: dict[tuple[Role, str], _Stamp] = {}

    def look(self) -> Found | None:
        """What is to be in force now, or None where nothing has changed. Never raises."""
        stamp = self._stamp("")
        try:
            wanted = read_live(self._models / LIVE)
        except BundleError as error:
            self._refuse("live", "", stamp, error)
            return None
        found = self._open_all(wanted)
        if found == self._found:
            return None
        self._found = found
        return found

    def _open_all(self, wanted: Live) -> Found:
        """What ``wanted`` names as far as it loads; what it no longer names is let go."""
        canary = wanted.canary or Canary("", 0.0)
        names: dict[Role, str] = {
            "live": wanted.live,
            "canary": canary.model,
            "shadow": wanted.shadow or "",
        }
        live, tried, shown = (self._open(role, name) for role, name in names.items())
        kept = live or self._found.live
        named = set(names.items())
        self._refused = {key: at for key, at in self._refused.items() if key in named}
        self._loaded = {
            name: one for name, one in self._loaded.items() if name in names.values() or one is kept
        }
        return Found(kept, tried, canary.share if tried else 0.0, shown)

    def _open(self, role: Role, name: str) -> Classifier | None:
        """The bundle ``name``, or None where there is none or it does not load."""
        if not name:
            return None
        stamp = self._stamp(name)
        if name not in self._loaded and self._refused.get((role, name)) != stamp:
            try:
                self._loaded[name] = self._load(find_bundle(name, self._models))
            except BundleError as error:
                self._refuse(role, name, stamp, error)
            except Exception as error:  # out of memory, or a library's own: not a reason to end
                words = f"The model bundle {name} cannot be loaded ({type(error).__name__})."
                self._refuse(role, name, stamp, BundleError(words))
        return self._loaded.get(name)

    def _refuse(self, role: Role, name: str, stamp: _Stamp, error: BundleError) -> None:
        """``stamp`` was taken before the try: what changed meanwhile is tried again."""
        if self._refused.get((role, name)) != stamp:
            self._refused[role, name] = stamp
            self._on_refused(role, error)

    def _stamp(self, name: str) -> _Stamp:
        """The state of a bundle's files, without reading them; of ``live.json`` for no name."""
        folder = self._models.joinpath(*name.split("@")) if name else self._models
        try:
            paths = sorted(folder.iterdir()) if name else [folder / LIVE]
            states = [(path.name, path.stat()) for path in paths]
        except OSError:
            return ()
        return tuple((path, state.st_size, state.st_mtime_ns) for path, state in states)
