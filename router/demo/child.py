"""Child processes that cannot outlive the demo, however it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

# The kernel kills the child when its parent's thread is gone (Linux; elsewhere only `stop` helps).
# It is asked in the child, before the exec, and not by `preexec_fn`, which may deadlock a parent
# that has threads. If the parent died first, the signal would never come: hence the second look.
_GUARD = """
import os, sys
parent, command = int(sys.argv[1]), sys.argv[2:]
if sys.platform == "linux":
    import ctypes, signal
    ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)
os.execv(command[0], command)
"""


def start(
    command: Sequence[str], *, log: Path, cwd: Path, environ: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """Start ``command`` (an absolute path first), both its outputs appended to ``log``.

    It stands in a session of its own, so that Ctrl-C on the terminal reaches the parent alone and
    the parent decides the order of leaving. Call it from a thread that lives as long as the child
    should.
    """
    guard = [sys.executable, "-I", "-S", "-c", _GUARD, str(os.getpid())]
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - commands are the project's own, never a user's
            [*guard, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=dict(environ),
            start_new_session=True,
        )


def stop(process: subprocess.Popen[bytes], *, within: float) -> int:
    """Ask ``process`` to leave (SIGTERM), kill it after ``within`` seconds; its exit status."""
    if process.poll() is None:
        process.terminate()
        try:
            return process.wait(within)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()


def tail(log: Path, lines: int) -> str:
    """The last ``lines`` lines of a log, or nothing where there is none."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
