"""The project as somebody meets it who installs it: the wheel, the locks, the two commands."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The names inside a freshly built wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        return archive.namelist()


def test_the_wheel_carries_every_schema_and_the_default_policy(wheel: list[str]) -> None:
    schemas = [f"router/data/schemas/{path.name}" for path in (ROOT / "schemas").glob("*.json")]
    assert schemas
    assert set(schemas) <= set(wheel)
    assert "router/data/deploy/policy.yaml" in wheel


def test_the_wheel_carries_every_bundle_whole_and_not_what_they_were_taught(
    wheel: list[str],
) -> None:
    bundles = [manifest.parent for manifest in (ROOT / "models").glob("*/*/manifest.json")]
    files = {
        f"router/data/{path.relative_to(ROOT).as_posix()}"
        for bundle in bundles
        for path in bundle.iterdir()
    }
    assert any(name.endswith(".onnx") for name in files)
    assert files | {"router/data/models/live.json"} <= set(wheel)
    assert not [name for name in wheel if "models/texts" in name]


def test_the_wheel_carries_no_tests(wheel: list[str]) -> None:
    assert not [name for name in wheel if name.startswith("tests/")]


def _pinned(name: str) -> dict[str, Version]:
    text = (ROOT / "requirements" / name).read_text()
    found = re.findall(r"^([a-z0-9_.-]+)==(\S+)", text, re.MULTILINE)
    return {package.replace("_", "-"): Version(version) for package, version in found}


@pytest.mark.parametrize(
    ("lock", "extras"),
    [
        ("demo.txt", ["demo"]),
        ("dev.txt", ["demo", "dev"]),
        ("bench.txt", ["bench"]),
    ],
)
def test_the_lock_satisfies_the_ranges(lock: str, extras: list[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"]]
    for extra in extras:
        wanted += project["optional-dependencies"][extra]
    pinned = _pinned(lock)
    missing = [
        text
        for text in wanted
        if (requirement := Requirement(text)).name != "router"
        and (
            requirement.name.lower().replace("_", "-") not in pinned
            or pinned[requirement.name.lower().replace("_", "-")] not in requirement.specifier
        )
    ]
    assert missing == []


def test_every_requirement_has_an_upper_bound_or_is_only_types() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    unbounded = [
        text
        for group in groups
        for text in group
        if (requirement := Requirement(text)).name not in {"router", "types-PyYAML"}
        and not any(spec.operator in {"<", "<=", "=="} for spec in requirement.specifier)
    ]
    assert unbounded == []


def test_the_readme_names_the_two_commands_and_the_makefile_has_them() -> None:
    readme = (ROOT / "README.md").read_text()
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for command in ("demo", "test"):
        assert f"make {command}" in readme
        assert command in targets


def test_the_check_that_lands_a_change_calls_the_readmes_test_command() -> None:
    assert "\nmake test\n" in (ROOT / ".ci" / "run").read_text()
