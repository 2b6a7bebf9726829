"""Where and of what figures were taken; nothing that names the machine or its owner."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tests.kafka import jars

_PACKAGES = (
    "router",
    "aiokafka",
    "faust-streaming",
    "quixstreams",
    "confluent-kafka",
    "faststream",
    "tokenizers",
    "onnxruntime",
    "orjson",
    "jsonschema-rs",
    "numpy",
)
_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8")
_ROOT = Path(__file__).parents[2]

_CORES = len(os.sched_getaffinity(0))
"""At the start: a measurement pins its own process later."""


def facts() -> dict[str, Any]:
    """When, on what processor, with which versions, of which commit."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _git("rev-parse", "HEAD"),
        "changed": bool(_git("status", "--porcelain")),
        "machine": {
            "processor": _processor("model name"),
            "cores": _CORES,
            "instructions": [one for one in _FLAGS if one in _processor("flags").split()],
            "memory_mb": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20,
            "system": platform.system(),
        },
        "versions": {
            "python": platform.python_version(),
            "kafka": jars.VERSION,
            **{name: found for name in _PACKAGES if (found := installed(name))},
        },
    }


def installed(package: str) -> str:
    """Its version, or nothing."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=_ROOT, capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _processor(field: str) -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == field:
            return value.strip()
    return platform.machine() if field == "model name" else ""
