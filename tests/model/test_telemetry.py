"""A bank's worker tells nobody outside that it runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_TRACE = ".ses"
"""What ONNX Runtime's telemetry leaves in TMPDIR."""


def _left_by(code: str, folder: Path) -> list[str]:
    environ = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
    subprocess.run(
        [sys.executable, "-c", code], env=environ | {"TMPDIR": str(folder)}, check=True, timeout=60
    )
    return [path.name for path in folder.iterdir()]


def test_the_model_room_starts_onnx_runtime_without_its_telemetry(tmp_path: Path) -> None:
    assert _TRACE not in _left_by("import router.model.stage", tmp_path)
