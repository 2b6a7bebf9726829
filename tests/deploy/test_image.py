"""The image's file against the code: nothing builds it here, so its every word is checked."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from fnmatch import fnmatch
from http import HTTPStatus
from pathlib import Path
from urllib.error import HTTPError

import click
import pytest

from router.cli.main import router
from router.ops.health import Health
from router.ops.health_server import HealthServer
from router.ops.metrics import Metrics
from router.settings import PREFIX, Settings, load_settings

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy/Dockerfile"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

Instruction = tuple[str, str]


def _instructions() -> list[Instruction]:
    text = DOCKERFILE.read_text(encoding="utf-8")
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    split = [line.partition(" ") for line in lines]
    return [(word, " ".join(rest.split())) for word, _, rest in split]


ALL = _instructions()
_SECOND = [place for place, (word, _) in enumerate(ALL) if word == "FROM"][1]
BUILD, FINAL = ALL[:_SECOND], ALL[_SECOND:]


def _only(word: str, within: list[Instruction]) -> str:
    (value,) = [value for name, value in within if name == word]
    return value


def _environment() -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in _only("ENV", FINAL).split())


def _sources() -> list[str]:
    copies = [value.split() for word, value in ALL if word == "COPY" and "--from" not in value]
    return [source for copy in copies for source in copy[:-1]]


def test_everything_copied_is_there() -> None:
    assert len(_sources()) >= 5
    for source in _sources():
        assert (ROOT / source).exists(), source


def test_everything_that_the_build_needs_is_copied() -> None:
    sources = set(_sources())
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    for needed in (*wheel["packages"], *wheel["force-include"], PROJECT["project"]["readme"]):
        assert needed in sources, needed
    assert set(PROJECT["project"]["license-files"]) <= sources


def test_the_builder_is_sent_what_is_copied_and_no_more() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    let_in = {line[1:] for line in lines if line.startswith("!")}
    assert "*" in lines
    assert let_in == set(_sources())
    for kept_out in (".git", ".venv/bin/python", "tests/conftest.py", ".env"):
        assert not any(fnmatch(kept_out, f"{path}*") for path in let_in), kept_out


def test_the_requirements_are_locked_by_hash() -> None:
    text = (ROOT / "requirements/demo.txt").read_text(encoding="utf-8")
    assert "--require-hashes --requirement requirements/demo.txt" in DOCKERFILE.read_text()
    assert text.count("--hash=sha256:") > 50


def test_what_the_image_takes_away_again_is_what_is_installed_and_not_needed() -> None:
    text = (ROOT / "requirements/demo.txt").read_text(encoding="utf-8")
    locked = set(re.findall(r"^([\w.-]+)==", text, re.MULTILINE))
    runs = " ".join(value for word, value in BUILD if word == "RUN")
    found = re.search(r"uninstall --yes --quiet ((?:[\w-]+ )+)&&", runs)
    assert found is not None
    removed = set(found[1].split())
    needed = _names(PROJECT["project"]["dependencies"])
    demo = _names(PROJECT["project"]["optional-dependencies"]["demo"])
    assert removed <= locked
    assert demo <= removed
    assert not removed & needed


def _names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^\w-]", one, maxsplit=1)[0].lower() for one in requirements}


def test_both_stages_have_one_python_that_the_project_supports() -> None:
    images = [value.split()[0] for word, value in ALL if word == "FROM"]
    (image,) = set(images)
    found = re.fullmatch(r"python:3\.(\d+)-slim", image)
    assert found is not None
    low, high = re.findall(r"3\.(\d+)", PROJECT["project"]["requires-python"])
    assert int(low) <= int(found[1]) < int(high)


def test_the_final_stage_runs_nothing_and_copies_only_the_environment() -> None:
    assert [word for word, _ in FINAL if word in ("RUN", "ADD")] == []
    assert _only("COPY", FINAL) == "--from=build /opt/router /opt/router"
    assert _environment()["PATH"].startswith("/opt/router/bin:")


def test_it_is_not_root_by_number() -> None:
    user, _, group = _only("USER", FINAL).partition(":")
    assert int(user) > 0
    assert int(group) > 0


def test_the_command_is_one_of_the_command_lines() -> None:
    (script,) = json.loads(_only("ENTRYPOINT", FINAL))
    assert script in PROJECT["project"]["scripts"]
    (command,) = json.loads(_only("CMD", FINAL))
    assert isinstance(router.get_command(click.Context(router), command), click.Command)


def test_its_variables_are_settings_and_its_port_is_the_default_one() -> None:
    ours = {name: value for name, value in _environment().items() if name.startswith(PREFIX)}
    known = {PREFIX + name.upper() for name in Settings.__dataclass_fields__}
    assert ours.keys() <= known
    settings = load_settings(ours)
    assert settings.metrics_host == "0.0.0.0"  # noqa: S104 - a container's port is not published
    assert settings.metrics_port == Settings().metrics_port == int(_only("EXPOSE", FINAL))


def test_it_is_stopped_by_the_signal_that_drains() -> None:
    assert _only("STOPSIGNAL", FINAL) == "SIGTERM"


def test_the_version_is_the_projects() -> None:
    assert _only("ARG", FINAL) == f"VERSION={PROJECT['project']['version']}"
    assert f'licenses="{PROJECT["project"]["license"]}"' in _only("LABEL", FINAL)


def test_the_health_check_passes_while_the_worker_lives_and_fails_when_it_is_stuck(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = json.loads(_only("HEALTHCHECK", FINAL).partition("CMD ")[2])
    assert words[:2] == ["python", "-c"]
    program = compile(ast.parse(words[2]), "HEALTHCHECK", "exec")
    health = Health()
    with HealthServer("127.0.0.1", 0, Metrics().registry, health) as server:
        monkeypatch.setenv("ROUTER_METRICS_PORT", str(server.port))
        exec(program, {})  # noqa: S102 - the line of our own Dockerfile
        health.fail("stuck")
        with pytest.raises(HTTPError) as stuck:
            exec(program, {})  # noqa: S102 - the same
    assert stuck.value.code == HTTPStatus.SERVICE_UNAVAILABLE
    stuck.value.close()
