"""Where the data that ships with the package stands: schemas, models, the default policy.

In a wheel it lies in ``router/data``; in a checkout the folders stand beside the package.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGED = Path(__file__).parent / "data"
ROOT = _PACKAGED if _PACKAGED.is_dir() else Path(__file__).parent.parent

SCHEMAS = ROOT / "schemas"
MODELS = ROOT / "models"
DEFAULT_POLICY = ROOT / "deploy" / "policy.yaml"
