"""The bundles of a models folder, as a list for people: nothing is loaded or hashed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from router.errors import BundleError
from router.model.live import LIVE, Live, read_live
from router.model.manifest import MANIFEST, Manifest, parse_manifest


@dataclass(frozen=True, slots=True)
class Shelved:
    """``role`` is empty, or what `live.json` makes of it; ``problem`` is what is wrong with the
    manifest, in place of what it says."""

    spec: str
    folder: Path
    role: str
    languages: tuple[str, ...] = ()
    bytes: int = 0
    accuracy: dict[str, float] | None = None
    problem: str = ""


def bundles_in(models: Path) -> list[Shelved]:
    """Every folder NAME/VERSION of ``models`` that has a manifest, by name and version.

    Raises:
        BundleError: `live.json` is there and malformed.
    """
    live = read_live(models / LIVE) if (models / LIVE).exists() else None
    paths = models.glob(f"*/*/{MANIFEST}")
    return [_shelved(path, live) for path in sorted(paths, key=_by_version)]


def size_of(manifest: Manifest) -> int:
    """Bytes of all files that are loaded."""
    return sum(file.bytes for file in manifest.files.values())


def _by_version(manifest: Path) -> tuple[str, int, str]:
    """Versions that are numbers stand in their order."""
    name, version = manifest.parts[-3:-1]
    return name, int(version) if version.isdecimal() else 0, version


def _shelved(path: Path, live: Live | None) -> Shelved:
    folder = path.parent
    spec = f"{folder.parent.name}@{folder.name}"
    role = _role(spec, live)
    try:
        manifest = parse_manifest(path.read_bytes(), path)
    except OSError as error:
        return Shelved(spec, folder, role, problem=f"{path} cannot be read: {error.strerror}.")
    except BundleError as error:
        return Shelved(spec, folder, role, problem=error.problem)
    accuracy = {
        file: metrics["accuracy"]
        for file, metrics in manifest.whole["metrics"].items()
        if isinstance(metrics, dict) and isinstance(metrics.get("accuracy"), int | float)
    }
    return Shelved(spec, folder, role, manifest.languages, size_of(manifest), accuracy or None)


def _role(spec: str, live: Live | None) -> str:
    if live is None:
        return ""
    roles = ["live"] if live.live == spec else []
    if live.shadow == spec:
        roles.append("shadow")
    if live.canary and live.canary.model == spec:
        roles.append(f"canary {live.canary.share:.0%}")
    return ", ".join(roles)
