"""``python -m tests.bench.growing``: the worker under a grown policy, its queues filled as told.

`BENCH_QUEUES` says how many the policy has, `BENCH_SPREAD` how they are filled.
"""

from __future__ import annotations

import os
import sys
from unittest import mock

from router import assembly
from router.core.asking import OnFault
from router.core.breaker import Watch
from router.core.clock import Clock
from router.core.line import Line
from router.ops.logging import configure_logging
from router.settings import Settings, load_settings
from router.stream.worker import run_worker
from tests.bench.grown_policy import intents
from tests.bench.spreading import SpreadClassifier


def main() -> None:
    settings = load_settings(os.environ)
    configure_logging(settings)
    code = run_worker(settings, _line)
    sys.stderr.flush()
    os._exit(code)


def _line(settings: Settings, clock: Clock, on_fault: OnFault, watch: Watch) -> Line:
    queues = intents(int(os.environ["BENCH_QUEUES"]))
    classifier = SpreadClassifier(
        queues, "even" if os.environ["BENCH_SPREAD"] == "even" else "bank"
    )
    with mock.patch.object(assembly, "open_classifier", return_value=classifier):
        return assembly.build_line(settings, clock, on_fault, watch)


if __name__ == "__main__":
    main()
