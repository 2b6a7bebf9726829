"""How patiently the broker is asked for more.

What comes alone is answered at once. Where records follow each other closely, a request for each
costs more than the work in them, here and at the broker: then the broker may wait a moment, and one
answer has what came to all partitions meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

LINGER_SECONDS = 0.005
"""Most that a record waits for company; as much again between two answers makes them close."""

_ENOUGH_BYTES = 64 * 1024
"""At which the broker answers in any case."""


class Linger:
    """Of one of aiokafka's fetchers, which is asked on its own event loop."""

    def __init__(self, fetcher: Any) -> None:
        self._fetcher = fetcher
        self._alone = fetcher._fetch_max_wait_ms, fetcher._fetch_min_bytes
        self._last = float("-inf")

    def found(self) -> None:
        """Records were taken just now. The next request goes out before anything is timed."""
        now = time.monotonic()
        since, self._last = now - self._last, now
        if since < 2 * LINGER_SECONDS:
            self._ask(int(LINGER_SECONDS * 1000), _ENOUGH_BYTES)
            asyncio.get_running_loop().call_later(LINGER_SECONDS / 2, self._ask, *self._alone)

    def _ask(self, milliseconds: int, least_bytes: int) -> None:
        self._fetcher._fetch_max_wait_ms = milliseconds
        self._fetcher._fetch_min_bytes = least_bytes
