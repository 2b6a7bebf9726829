"""One line where a library would write thousands: aiokafka logs every retry of an outage."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

WINDOW = 5.0
"""Seconds for which a message is not written a second time."""

_MOST = 256


class Repeats(logging.Filter):
    """Lets a message through once a window; the next one has ``repeated``, how many were not.

    Messages are the same when logger, level and template are, whatever their arguments.
    """

    def __init__(self, window: float = WINDOW, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._window = window
        self._now = now
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, int, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        key = (record.name, record.levelno, str(record.msg))
        now = self._now()
        with self._lock:
            since, held_back = self._seen.get(key, (None, 0))
            if since is not None and now - since < self._window:
                self._seen[key] = (since, held_back + 1)
                return False
            if len(self._seen) >= _MOST:  # templates are few; more are whole texts
                self._seen.clear()
            self._seen[key] = (now, 0)
        record.repeated = held_back
        return True
