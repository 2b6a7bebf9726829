"""A bundle's next version: its files with some changed, its samples asked anew."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any

from router.core.prediction import Question
from router.errors import BundleError, UsageError
from router.model.bundle import Bundle
from router.model.classifier import BundleClassifier, load_classifier
from router.model.manifest import MANIFEST
from router.training.bundle_samples import samples_of


def refuse_what_exists(out: Path) -> None:
    """Make sure that no version is written over.

    Raises:
        UsageError: there is an ``out`` already.
    """
    if out.exists():
        raise UsageError(f"{out} exists.", "A version is never changed: give another.")


def write_next(
    whole: Bundle,
    out: Path,
    files: Mapping[str, bytes],
    changes: Mapping[str, Any],
    card: str | None = None,
) -> BundleClassifier:
    """Write the bundle ``out`` (``…/NAME/VERSION``), whole or not at all, and load it.

    It is ``whole`` with ``files`` instead of its own or besides, ``changes`` to the manifest's
    fields and ``card`` as its README.md. Figures were measured on another: it has none.

    Raises:
        UsageError: it cannot be written.
        BundleError: it does not load; the problem names ``out``.
    """
    out = out.absolute()
    work = out.with_name(f".{out.name}.new")
    contents = {**whole.files, **files}
    manifest = {
        **whole.manifest.whole,
        **changes,
        "name": out.parent.name,
        "version": out.name,
        "router_version": package_version("router"),
        "files": {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            for name, content in contents.items()
        },
        "metrics": {},
    }
    try:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        for name, content in contents.items():
            (work / name).write_bytes(content)
        if card is not None:
            (work / "README.md").write_text(card, encoding="utf-8")
        (work / MANIFEST).write_bytes(pretty(manifest | {"samples": []}))
        asked = [Question(sample.text, sample.language) for sample in whole.manifest.samples]
        samples = samples_of(asked, load_classifier(work).predict(asked).answers)
        (work / MANIFEST).write_bytes(pretty(manifest | {"samples": samples}))
        load_classifier(work)
        work.rename(out)
    except BundleError as error:
        raise BundleError(error.problem.replace(str(work), str(out)), error.fix) from error
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}.") from None
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return load_classifier(out)


def pretty(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
