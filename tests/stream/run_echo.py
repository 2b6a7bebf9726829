"""``python -m tests.stream.run_echo``: the real worker around an echo line, for tests to kill.

``ECHO_SECONDS`` is how long each slice takes, ``ECHO_STUCK=1`` makes it take for ever.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence

from router.core.record import InRecord
from router.ops.logging import configure_logging
from router.settings import load_settings
from router.stream.worker import run_worker
from tests.stream.echo import EchoLine


def _hook(records: Sequence[InRecord]) -> None:
    time.sleep(float(os.environ.get("ECHO_SECONDS", "0")))
    if os.environ.get("ECHO_STUCK") == "1":
        time.sleep(3600)


def main() -> None:
    settings = load_settings(os.environ)
    configure_logging(settings)
    code = run_worker(settings, lambda given, *_: EchoLine(given.topics(), _hook))
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
