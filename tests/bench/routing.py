"""``python -m tests.bench.routing``: the router's own worker under the line that `BENCH_LOAD` says.

``live`` is the worker as an operator starts it.
"""

from __future__ import annotations

import os
import sys

from router.assembly import build_line, follow_models
from router.core.asking import OnFault
from router.core.breaker import Watch
from router.core.clock import Clock
from router.ops.logging import configure_logging
from router.settings import Settings, load_settings
from router.stream.worker import BuildLine, run_worker
from tests.bench.work import CopyLine, null_line


def main() -> None:
    settings = load_settings(os.environ)
    configure_logging(settings)
    load = os.environ["BENCH_LOAD"]
    if load == "live":
        code = run_worker(settings, build_line, follow_models)
    else:
        build: BuildLine = _copy_line if load == "copy" else null_line
        code = run_worker(settings, build)
    sys.stderr.flush()
    os._exit(code)


def _copy_line(settings: Settings, clock: Clock, on_fault: OnFault, watch: Watch) -> CopyLine:
    del clock, on_fault, watch
    return CopyLine(settings.topics())


if __name__ == "__main__":
    main()
