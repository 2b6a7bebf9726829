"""The real clock; tests pass one of their own."""

from __future__ import annotations

import time


class SystemClock:
    """This machine's clock, as ``router.core.clock.Clock`` wants it."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()
