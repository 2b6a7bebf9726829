"""Kafka's jars from Maven Central, fetched once into a cache outside the repository."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

VERSION = os.environ.get("TESTS_KAFKA_VERSION", "4.1.1")
_FETCH_SECONDS = 300
_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"

_POM = """\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>router.tests</groupId><artifactId>kafka</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>
      <version>{version}</version><scope>runtime</scope>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId>
      <version>2.24.3</version><scope>runtime</scope>
    </dependency>
  </dependencies>
</project>
"""


class Unavailable(Exception):  # noqa: N818 - a state of this machine, not a fault
    """Kafka cannot be run here; the message is the reason in one line."""


def java() -> str:
    """The Java command.

    Raises:
        Unavailable: there is none.
    """
    found = shutil.which("java")
    if not found:
        raise Unavailable("Kafka needs Java 17 or later: no `java` on PATH.")
    return found


def jars(version: str = VERSION) -> Path:
    """The folder of Kafka's jars, fetched when they are not cached yet.

    Raises:
        Unavailable: they are not cached and cannot be fetched.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "router-tests"
    folder = cache / f"kafka-{version}"
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"kafka-{version}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            _fetch(version, cache, folder)
    return folder


def _fetch(version: str, cache: Path, folder: Path) -> None:
    maven = shutil.which("mvn")
    if not maven:
        raise Unavailable(f"Kafka {version} is not cached in {cache} and there is no `mvn`.")
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        pom = Path(scratch, "pom.xml")
        pom.write_text(_POM.format(version=version))
        command = [maven, "-q", "-B", "-f", str(pom), _PLUGIN, "-DincludeScope=runtime"]
        command.append(f"-DoutputDirectory={scratch}/jars")
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=_FETCH_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise Unavailable(f"Maven took over {_FETCH_SECONDS} s for Kafka {version}.") from None
        if done.returncode:
            said = (done.stdout + done.stderr).strip().splitlines() or ["nothing said"]
            raise Unavailable(f"Maven cannot fetch Kafka {version}: {said[0][:300]}")
        Path(scratch, "jars").rename(folder)
