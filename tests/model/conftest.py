"""The committed live bundle, loaded once."""

from __future__ import annotations

from pathlib import Path

import pytest

from router.model.bundle import find_bundle
from router.model.classifier import BundleClassifier, load_classifier
from router.resources import MODELS


@pytest.fixture(scope="session")
def live_folder() -> Path:
    return find_bundle("", MODELS)


@pytest.fixture(scope="session")
def live(live_folder: Path) -> BundleClassifier:
    return load_classifier(live_folder)
