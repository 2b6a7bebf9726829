"""The programs in ``schemas/README.md``, taken out of it and built."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from router.resources import SCHEMAS
from tests.kafka import Unavailable, jars

LANGUAGES = ("python", "go", "java")

_FENCE = re.compile(
    r"^```(python|go|java)\n(?:#|//) (\S+):.*?\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
_GO = Path(__file__).parent / "go"


@dataclass(frozen=True, slots=True)
class Programs:
    """Two commands, ready to run."""

    emit: list[str]
    consume: list[str]


def sources(language: str) -> dict[str, str]:
    """A language's programs by the file name in their first line."""
    text = (SCHEMAS / "README.md").read_text(encoding="utf-8")
    return {name: code for fence, name, code in _FENCE.findall(text) if fence == language}


def build(language: str, folder: Path) -> Programs:
    """Write a language's programs to ``folder`` and compile them, warnings being errors.

    Raises:
        Unavailable: this machine lacks what the language needs.
        subprocess.CalledProcessError: they do not compile.
    """
    for name, code in sources(language).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(code, encoding="utf-8")
    return {"python": _python, "go": _go, "java": _java}[language](folder)


def _python(folder: Path) -> Programs:
    names = ["emit.py", "consume.py"]
    _run([sys.executable, "-W", "error", "-m", "py_compile", *names], folder)
    # Undefined and unused names, which Python finds only when it comes to them.
    _run([sys.executable, "-m", "ruff", "check", "--isolated", "--select=F", *names], folder)
    emit, consume = ([sys.executable, "-W", "error", str(folder / name)] for name in names)
    return Programs(emit, consume)


def _go(folder: Path) -> Programs:
    go = shutil.which("go")
    if go is None:
        raise Unavailable("The Go programs need Go: no `go` on PATH.")
    for name in ("go.mod", "go.sum"):
        shutil.copy(_GO / name, folder)
    try:
        _run([go, "mod", "download"], folder, seconds=120)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        raise Unavailable("The Go programs' modules cannot be fetched.") from None
    _run([go, "build", "-o", "bin/", "./..."], folder, seconds=400)
    return Programs([str(folder / "bin" / "emit")], [str(folder / "bin" / "consume")])


def _java(folder: Path) -> Programs:
    java, javac = jars.java(), shutil.which("javac")
    if javac is None:
        raise Unavailable("The Java programs need a JDK: no `javac` on PATH.")
    path = f"{jars.jars()}/*"
    _run([javac, "-Xlint:all", "-Werror", "-cp", path, "Emit.java", "Consume.java"], folder)
    emit, consume = ([java, "-cp", f"{folder}:{path}", name] for name in ("Emit", "Consume"))
    return Programs(emit, consume)


def _run(command: list[str], folder: Path, seconds: float = 60) -> None:
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOWORK": "off"}
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )
    if done.returncode:
        print(done.stdout)  # noqa: T201  # pytest shows it beside the failure
        raise subprocess.CalledProcessError(done.returncode, command)
