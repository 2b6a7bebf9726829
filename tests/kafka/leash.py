"""Children that die with this process, however it dies, and ports that stay theirs.

Linux sends the parent-death signal when the *thread* that started the child ends, so every child
is started from one thread that lives as long as the process.
"""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

_starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="leash")

# Runs in the child before the command takes its place. A `preexec_fn` would do the same, and warns
# in a process with threads from Python 3.12 on.
_HOLD = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() != int(sys.argv[1]):
    sys.exit(1)
os.execvp(sys.argv[2], sys.argv[2:])
"""


def spawn(
    command: Sequence[str],
    *,
    output: IO[bytes],
    errors: IO[bytes] | None = None,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start ``command``; it is killed when this process ends. Errors go to ``output`` if not
    given a file of their own."""
    return _starter.submit(_spawn, command, output, errors, environ, folder).result()


def _spawn(
    command: Sequence[str],
    output: IO[bytes],
    errors: IO[bytes] | None,
    environ: Mapping[str, str] | None,
    folder: Path | None,
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _HOLD, str(os.getpid()), *command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=errors or subprocess.STDOUT,
        env=environ,
        cwd=folder,
        start_new_session=True,  # a Ctrl-C at the terminal is for us to pass on, in order
    )


def free_ports(count: int) -> list[int]:
    """Loopback ports that are free now and that no outgoing connection will be given.

    Those that the kernel hands out for port 0 are also handed to outgoing connections: a killed
    node could not take its port again, and a client that calls a dead node can even reach itself.
    """
    low, high = 15_000, _first_ephemeral()
    found: list[socket.socket] = []
    try:
        while len(found) < count:
            candidate = socket.socket()
            try:
                candidate.bind(("127.0.0.1", random.randrange(low, high)))  # noqa: S311 - no secret
            except OSError:
                candidate.close()
            else:
                found.append(candidate)
        return [one.getsockname()[1] for one in found]
    finally:
        for one in found:
            one.close()


def _first_ephemeral() -> int:
    span = Path("/proc/sys/net/ipv4/ip_local_port_range")
    first = int(span.read_text().split()[0]) if span.exists() else 32_768
    return max(first, 20_000)
