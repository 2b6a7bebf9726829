"""The real worker, its line cheap and its phases told: what the chaos suite kills.

The stream, the policy, the parsing and the records are the real ones; only the model and the
language step are not, so that a worker starts in a moment and a hundred can be killed.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from router import assembly
from router.core.prediction import Classifier
from router.ops.logging import configure_logging
from router.settings import Settings, load_settings
from router.stream.worker import run_worker
from tests.chaos.board import Board
from tests.chaos.cheap import CheapClassifier, English
from tests.chaos.reporting import report_to
from tests.chaos.worker import FaultyClassifier

SESSION_SECONDS = 3.0
"""Below what the settings allow: a killed worker's partitions are soon another's."""


def main(environ: Mapping[str, str], board: Path, orders: Path, log: Path) -> None:
    """In a process of its own; never returns."""
    _die_with_parent()
    os.setsid()  # a Ctrl-C at the terminal is not for it
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    report_to(Board(board))
    settings = replace(load_settings(environ), session_timeout=SESSION_SECONDS)
    configure_logging(settings)

    def cheap(settings: Settings) -> Classifier:
        return FaultyClassifier(CheapClassifier(), orders)

    assembly.open_classifier = cheap
    assembly.open_languages = English
    code = run_worker(settings, assembly.build_line)
    sys.stderr.flush()
    os._exit(code)


def _die_with_parent() -> None:
    """The parent is the server that forks, which dies with the suite."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    suite = multiprocessing.parent_process()
    if suite is None or not suite.is_alive():
        os._exit(1)
