"""A bundle becomes live by a gate that it passed against what is live, and leaves by a rollback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from router.core.paired import Tolerance
from router.errors import BundleError
from router.model.gate import Limits
from router.model.gate_record import record_path, write_record
from router.model.gating import hold
from router.model.live import Canary, Live, Past, read_live, write_live
from router.model.promotion import NotPromotedError, promote, roll_back
from tests.model.gate_bundles import bundle, policy, write_rows

LIMITS = Limits(Tolerance(soft=0.01, hard=0.05, least=10), slower=1000, larger=10)
AT = "2026-01-02T03:04:05Z"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    for version in ("1", "2", "3"):
        bundle(folder / "tiny" / version, {"lost": "lost_card"})
    bundle(folder / "tiny" / "4", {"lost": "fees"})
    write_live(folder / "live.json", Live("tiny@1"))
    write_rows(tmp_path / "rows.jsonl", [{"text": "lost", "label": "lost_card"}] * 20)
    return folder


def gate(models: Path, new: str, against: str = "1") -> dict[str, Any]:
    """The verdict on a version of `tiny`, where promote looks for it."""
    record, _ = hold(
        models / "tiny" / new,
        models / "tiny" / against,
        [models.parent / "rows.jsonl"],
        policy(),
        LIMITS,
        at=AT,
    )
    write_record(record_path(models, f"tiny@{new}"), record)
    return record


def live_of(models: Path) -> Live:
    return read_live(models / "live.json")


def test_a_bundle_that_passed_is_made_live_and_the_one_before_is_remembered(models: Path) -> None:
    assert gate(models, "2")["passed"]
    assert promote(models, "tiny@2", AT) == live_of(models)
    assert live_of(models) == Live("tiny@2", history=(Past("tiny@1", AT),))


def test_two_rollbacks_go_two_back(models: Path) -> None:
    for new, against in (("2", "1"), ("3", "2")):
        gate(models, new, against)
        promote(models, f"tiny@{new}", AT)
    assert roll_back(models).live == "tiny@2"
    assert roll_back(models).live == "tiny@1"
    with pytest.raises(NotPromotedError, match="no bundle that was live before"):
        roll_back(models)
    assert live_of(models) == Live("tiny@1")


def test_a_bundle_without_a_gate_is_not_promoted(models: Path) -> None:
    with pytest.raises(NotPromotedError, match="has been through no gate") as caught:
        promote(models, "tiny@2", AT)
    assert "router model gate tiny@2 --against tiny@1" in caught.value.fix
    assert live_of(models) == Live("tiny@1")


def test_a_bundle_that_was_refused_is_not_promoted(models: Path) -> None:
    assert not gate(models, "4")["passed"]
    with pytest.raises(NotPromotedError, match="was refused by its gate"):
        promote(models, "tiny@4", AT)


def test_a_bundle_that_changed_since_its_gate_is_not_promoted(models: Path) -> None:
    gate(models, "2")
    path = models / "tiny" / "2" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"training": {"seed": 8}}))
    with pytest.raises(NotPromotedError, match="has changed since its gate"):
        promote(models, "tiny@2", AT)


def test_a_gate_against_what_is_no_longer_live_counts_for_nothing(models: Path) -> None:
    gate(models, "2")
    gate(models, "3")
    promote(models, "tiny@3", AT)
    with pytest.raises(NotPromotedError, match="judged against tiny@1, and tiny@3 is live"):
        promote(models, "tiny@2", AT)


def test_the_verdict_on_one_bundle_does_not_serve_another(models: Path) -> None:
    gate(models, "2")
    path = models / "tiny" / "3" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"training": {"seed": 8}}))
    record_path(models, "tiny@2").rename(record_path(models, "tiny@3"))
    with pytest.raises(NotPromotedError, match="manifest is another"):
        promote(models, "tiny@3", AT)


@pytest.mark.parametrize("content", ["{", "[]", '{"schema": "model-gate/v1"}'])
def test_a_verdict_that_cannot_be_read_is_an_error(models: Path, content: str) -> None:
    gate(models, "2")
    record_path(models, "tiny@2").write_text(content)
    with pytest.raises(BundleError, match="is no verdict of a gate"):
        promote(models, "tiny@2", AT)


def test_a_bundle_that_does_not_load_is_neither_promoted_nor_gone_back_to(models: Path) -> None:
    gate(models, "2")
    promote(models, "tiny@2", AT)
    before = live_of(models)
    (models / "tiny" / "1" / "only.onnx").write_bytes(b"?")
    with pytest.raises(BundleError, match=r"only\.onnx is not the file of the manifest"):
        roll_back(models)
    with pytest.raises(BundleError, match=r"only\.onnx is not the file of the manifest"):
        promote(models, "tiny@1", AT)
    assert live_of(models) == before


def test_a_bundle_in_a_folder_of_another_name_is_not_promoted(models: Path) -> None:
    (models / "tiny" / "2").rename(models / "tiny" / "5")
    with pytest.raises(BundleError, match="says that it is tiny@2"):
        promote(models, "tiny@5", AT)


def test_what_is_live_already_stays_as_it_is(models: Path) -> None:
    assert promote(models, "tiny@1", AT) == Live("tiny@1")


def test_a_canary_and_a_shadow_of_the_promoted_bundle_end_and_others_stay(models: Path) -> None:
    gate(models, "2")
    write_live(models / "live.json", Live("tiny@1", "tiny@3", Canary("tiny@2", 0.1)))
    changed = promote(models, "tiny@2", AT)
    assert (changed.shadow, changed.canary) == ("tiny@3", None)
