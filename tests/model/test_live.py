"""`live.json` is read strictly, and replaced in one step."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from router.errors import BundleError
from router.model.live import Canary, Live, Past, read_live, write_live

WHOLE = Live(
    live="tiny@2",
    shadow="tiny@3",
    canary=Canary("other@1", 0.25),
    history=(Past("tiny@1", "2026-01-02T03:04:05Z"),),
)


def test_a_file_that_names_only_the_live_bundle_is_enough(tmp_path: Path) -> None:
    (tmp_path / "live.json").write_text('{"live": "tiny@1"}')
    assert read_live(tmp_path / "live.json") == Live("tiny@1")


@pytest.mark.parametrize("live", [WHOLE, Live("tiny@1")])
def test_what_is_written_is_read_back(tmp_path: Path, live: Live) -> None:
    write_live(tmp_path / "live.json", live)
    assert read_live(tmp_path / "live.json") == live
    assert [path.name for path in tmp_path.iterdir()] == ["live.json"]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "live.json"
    write_live(path, Live("tiny@1"))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(BundleError, match="cannot be written: No space left"):
        write_live(path, WHOLE)
    assert read_live(path) == Live("tiny@1")
    assert [path.name for path in tmp_path.iterdir()] == ["live.json"]


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("live", 1, "does not say which bundle is live"),
        ("live", "../tiny@1", "does not say which bundle is live"),
        ("canery", None, "canery is no key"),
        ("shadow", "tiny", "shadow must be name@version"),
        ("canary", "tiny@1", "canary must be"),
        ("canary", {"model": "tiny@1"}, "canary must be"),
        ("canary", {"model": "tiny", "share": 0.5}, "canary must be"),
        ("canary", {"model": "tiny@1", "share": 1.5}, "canary.share must be from 0 to 1"),
        ("canary", {"model": "tiny@1", "share": True}, "canary.share must be from 0 to 1"),
        ("history", {}, "history must be a list"),
        ("history", [{"live": "tiny@1"}], "history must hold"),
        ("history", [{"live": "tiny@1", "at": 5}], "history must hold"),
    ],
)
def test_a_key_that_is_wrong_is_named(
    tmp_path: Path, key: str, value: object, problem: str
) -> None:
    (tmp_path / "live.json").write_text(json.dumps({"live": "tiny@1"} | {key: value}))
    with pytest.raises(BundleError, match=problem):
        read_live(tmp_path / "live.json")
