"""What live.json names is in force when it loads; what does not load is refused, once."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from router.core.choosing import Model, ModelSet, Role
from router.core.prediction import Classifier
from router.errors import BundleError
from router.model.classifier import load_classifier
from router.model.following import Follower
from router.model.guard import Deadline, Guard
from router.model.live import LIVE, Canary, Live, write_live
from router.model.roles import Roles
from tests.model.guard_bench import LIMITS, Hands, Told
from tests.model.tiny import SURE, TinyStage, write_bundle


@dataclass
class Stand:
    """Bundles tiny@1 to tiny@3, and a follower of what is live among them."""

    models: Path
    refused: list[tuple[Role, str]] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    compared: list[object] = field(default_factory=list)
    guards: list[tuple[Role, Guard]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for version in ("1", "2", "3"):
            stage = TinyStage("only", {"card": SURE})
            write_bundle(self.models / "tiny" / version, stage)
        self.write(Live("tiny@1"))
        self.first = Model(load_classifier(self.models / "tiny" / "1"))
        follower = Follower(self.models, self._load, self._refuse, self.first.classifier)
        watch = _Unwatched()
        self.roles = Roles(follower, ModelSet(live=self.first), self._guard, watch, _ignore)

    def write(self, live: Live) -> None:
        write_live(self.models / LIVE, live)

    def damage(self, version: str) -> Callable[[], object]:
        """Spoil a bundle; gives what mends it."""
        path = self.models / "tiny" / version / "labels.json"
        sound = path.read_bytes()
        path.write_bytes(sound + b" ")
        return lambda: path.write_bytes(sound)

    def look(self) -> ModelSet:
        found = self.roles.look()
        assert found is not None
        return found

    def _load(self, folder: Path) -> Classifier:
        self.loaded.append(folder.name)
        return load_classifier(folder)

    def _refuse(self, role: Role, error: BundleError) -> None:
        self.refused.append((role, error.problem))

    def _guard(self, role: Role) -> Guard:
        guard = Guard(LIMITS, Deadline(5, 0, 5), Hands(), Told())
        self.guards.append((role, guard))
        return guard


class _Unwatched:
    def compared(self, agreeing: int, others: int) -> None: ...

    def dropped(self, messages: int) -> None: ...


def _ignore(_where: str, _error: Exception) -> None: ...


@pytest.fixture
def stand(tmp_path: Path) -> Stand:
    return Stand(tmp_path / "models")


def version(model: object) -> str | None:
    return model.classifier.ref.version if isinstance(model, Model) else None


def test_while_nothing_changes_nothing_is_loaded_and_nothing_is_new(stand: Stand) -> None:
    assert stand.roles.look() is None
    stand.write(Live("tiny@1"))
    assert stand.roles.look() is None
    assert (stand.loaded, stand.refused) == ([], [])


def test_a_promoted_bundle_is_live_with_a_guard_of_its_own(stand: Stand) -> None:
    stand.write(Live("tiny@2"))
    models = stand.look()
    assert version(models.live) == "2"
    assert [role for role, _ in stand.guards] == ["live"]
    assert stand.roles.look() is None


def test_a_canary_and_its_share_leave_the_live_model_and_its_guard_alone(stand: Stand) -> None:
    stand.write(Live("tiny@1", canary=Canary("tiny@2", 0.05)))
    small = stand.look()
    assert small.live is stand.first
    assert (version(small.canary), small.share) == ("2", 0.05)
    stand.write(Live("tiny@1", canary=Canary("tiny@2", 0.5)))
    large = stand.look()
    assert large.canary is small.canary
    assert large.share == 0.5
    assert stand.loaded == ["2"]


def test_a_canary_that_is_promoted_is_not_loaded_again(stand: Stand) -> None:
    stand.write(Live("tiny@1", canary=Canary("tiny@2", 0.05)))
    canary = stand.look().canary
    stand.write(Live("tiny@2"))
    models = stand.look()
    assert canary is not None
    assert models.live is not None
    assert models.live.classifier is canary.classifier
    assert (models.canary, models.share) == (None, 0.0)
    assert stand.loaded == ["2"]
    assert [role for role, _ in stand.guards] == ["canary", "live"]


def test_a_shadow_comes_and_goes(stand: Stand) -> None:
    stand.write(Live("tiny@1", shadow="tiny@2"))
    first = stand.look()
    assert first.shadow is not None
    assert first.shadow.classifier.ref.version == "2"
    stand.write(Live("tiny@1"))
    second = stand.look()
    assert second.shadow is None
    for close in first.closers(second):
        close()


def test_a_bundle_that_does_not_load_is_refused_once_and_the_old_stays(stand: Stand) -> None:
    stand.damage("2")
    stand.write(Live("tiny@2"))
    assert stand.roles.look() is None
    assert stand.roles.look() is None
    ((role, problem),) = stand.refused
    assert role == "live"
    assert "labels.json is not the file of the manifest" in problem
    assert stand.loaded == ["2"]


def test_a_bundle_that_is_mended_is_tried_again(stand: Stand) -> None:
    mend = stand.damage("2")
    stand.write(Live("tiny@2"))
    assert stand.roles.look() is None
    mend()
    assert version(stand.look().live) == "2"


def test_a_bundle_that_is_copied_after_it_was_named_is_found(stand: Stand, tmp_path: Path) -> None:
    aside = tmp_path / "aside"
    shutil.move(stand.models / "tiny" / "2", aside)
    stand.write(Live("tiny@2"))
    assert stand.roles.look() is None
    assert len(stand.refused) == 1
    shutil.move(aside, stand.models / "tiny" / "2")
    assert version(stand.look().live) == "2"


def test_a_canary_or_shadow_that_does_not_load_stops_nobody_else(stand: Stand) -> None:
    stand.damage("3")
    stand.write(Live("tiny@2", shadow="tiny@3", canary=Canary("tiny@3", 0.5)))
    models = stand.look()
    assert version(models.live) == "2"
    assert (models.canary, models.share, models.shadow) == (None, 0.0, None)
    assert [role for role, _ in stand.refused] == ["canary", "shadow"]


@pytest.mark.parametrize("content", [b"{", b'{"live": "tiny@2", "extra": 1}', None])
def test_a_live_file_that_cannot_be_read_changes_nothing_and_is_told_once(
    stand: Stand, content: bytes | None
) -> None:
    live = stand.models / LIVE
    live.unlink() if content is None else live.write_bytes(content)
    assert stand.roles.look() is None
    assert stand.roles.look() is None
    assert [role for role, _ in stand.refused] == ["live"]
    stand.write(Live("tiny@2"))
    assert version(stand.look().live) == "2"


def test_a_loader_that_runs_out_of_memory_is_a_refusal_too(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    def out_of_memory(_: Path) -> Classifier:
        raise MemoryError

    monkeypatch.setattr(stand.roles._follower, "_load", out_of_memory)  # its loader
    stand.write(Live("tiny@2"))
    assert stand.roles.look() is None
    assert "MemoryError" in stand.refused[0][1]
