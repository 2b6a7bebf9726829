"""One line and an exit code for every error, and no command imported before it is asked for."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest

from router import __version__
from router.cli import main as cli
from router.cli.context import settings_of
from router.errors import BrokerError, BundleError, PolicyError, RouterError


@click.command(name="settings")
@click.option("--with", "what", default="nothing")
@click.pass_context
def settings_command(context: click.Context, what: str) -> int:
    """List the settings in force."""
    errors: dict[str, BaseException] = {
        "broker": BrokerError("The broker is gone.", "Start it."),
        "bundle": BundleError("The model is not itself."),
        "policy": PolicyError("Line 3 is wrong."),
        "bug": ValueError("my card 4111"),
        "interrupt": KeyboardInterrupt(),
    }
    if what in errors:
        raise errors[what]
    return len(settings_of(context).group)


@pytest.fixture
def _failing(monkeypatch: pytest.MonkeyPatch) -> None:
    place = (f"{__name__}:settings_command", "List the settings in force.")
    monkeypatch.setitem(cli.COMMANDS, "settings", place)


@pytest.mark.usefixtures("_failing")
@pytest.mark.parametrize(
    ("what", "code", "words"),
    [
        ("broker", 3, "The broker is gone. Start it.\n"),
        ("bundle", 4, "The model is not itself.\n"),
        ("policy", 2, "Line 3 is wrong.\n"),
        ("bug", 70, "This is a bug in Router (ValueError). `router --debug …` shows where.\n"),
    ],
)
def test_an_error_is_one_line_and_its_exit_code(
    what: str, code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["settings", "--with", what]) == code
    out, err = capsys.readouterr()
    assert (out, err) == ("", words)


@pytest.mark.usefixtures("_failing")
def test_debug_shows_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--debug", "settings", "--with", "bug"]) == 70
    assert "in settings_command" in capsys.readouterr().err


@pytest.mark.usefixtures("_failing")
def test_an_interrupt_is_130() -> None:
    assert cli.run(["settings", "--with", "interrupt"]) == 130


@pytest.mark.usefixtures("_failing")
def test_a_commands_number_is_the_exit_code(tmp_path: Path) -> None:
    config = tmp_path / "router.env"
    config.write_text("ROUTER_GROUP=seven77\n")
    assert cli.run(["--config", str(config), "settings"]) == 7


@pytest.mark.parametrize(("typed", "meant"), [("rote", "route"), ("wroker", "worker")])
def test_a_misspelt_command_is_told_its_neighbour(
    typed: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run([typed]) == 2
    assert f"Did you mean `router {meant}`?" in capsys.readouterr().err


def test_an_unknown_option_and_a_missing_file_are_wrong_usage(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.run(["--nope"]) == 2
    assert cli.run(["--config", "/nowhere/router.env", "settings"]) == 2
    assert "/nowhere/router.env" in capsys.readouterr().err


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--version"]) == 0
    assert capsys.readouterr().out == f"router {__version__}\n"


@pytest.mark.parametrize("name", list(cli.COMMANDS))
def test_every_command_has_help_that_begins_as_the_list_says_and_an_example(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    place, line = cli.COMMANDS[name]
    module, _, attribute = place.partition(":")
    command = getattr(import_module(module), attribute)
    assert isinstance(command, click.Command)
    assert command.name in {name, attribute.removesuffix("_group")}
    assert cli.run([name, "--help"]) == 0
    assert "Example" in capsys.readouterr().out
    assert cli.run(["--help"]) == 0
    assert line in capsys.readouterr().out


def test_help_imports_no_command_and_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from router.cli.main import run\n"
        "assert run(['--help']) == 0\n"
        "slow = {'faust', 'aiokafka', 'onnxruntime', 'numpy', 'rich', 'structlog', 'yaml',\n"
        "        'importlib.metadata', 'prometheus_client', 'router.cli.route'}\n"
        "print(sorted(slow & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr == "[]\n"


@pytest.mark.parametrize("module", ["router", "router.cli.main"])
def test_the_module_runs_as_the_script_does(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, "settings", "--check"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (0, "The settings are right.\n")


def test_a_reader_that_has_had_enough_is_no_error() -> None:
    command = [sys.executable, "-m", "router", "settings"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stderr is not None
        writer.stdout.close()
        assert writer.stderr.read() == b""
        assert writer.wait(60) == 0


def test_every_error_class_has_an_exit_code_of_its_kind() -> None:
    classes: list[type[RouterError]] = [RouterError, *_below(RouterError)]
    assert all(cls.exit_code >= 1 for cls in classes)
    assert len({cls.__name__ for cls in classes}) == len(classes)


def _below(cls: type[RouterError]) -> list[type[RouterError]]:
    found: list[type[RouterError]] = []
    for one in cls.__subclasses__():
        found += [one, *_below(one)]
    return found
