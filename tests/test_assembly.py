"""A line from settings, or the file that is wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from router.assembly import build_line, open_validators
from router.errors import BundleError, PolicyError, RouterError, UsageError
from router.ops.clock import SystemClock
from router.resources import SCHEMAS
from router.settings import Settings


def build(settings: Settings) -> None:
    build_line(settings, SystemClock(), lambda _where, _error: None)


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        (Settings(policy="/nowhere/policy.yaml"), PolicyError, "/nowhere/policy.yaml"),
        (Settings(model="/nowhere/bundle"), BundleError, "/nowhere/bundle"),
        (Settings(model="none-such@9"), BundleError, "none-such@9"),
    ],
)
def test_what_is_missing_is_named(settings: Settings, error: type[RouterError], words: str) -> None:
    with pytest.raises(error, match=words):
        build(settings)


@pytest.mark.parametrize("content", [None, b"{", b'{"type": 5}', b"\xff"])
def test_a_schema_that_is_none_is_named(tmp_path: Path, content: bytes | None) -> None:
    for name in ("chat-message.v1.json", "email-message.v1.json"):
        shutil.copy(SCHEMAS / name, tmp_path)
    broken = tmp_path / "email-message.v1.json"
    broken.unlink()
    if content is not None:
        broken.write_bytes(content)
    with pytest.raises(UsageError, match=str(tmp_path)):
        open_validators(tmp_path)
