"""What ``/healthz`` and ``/readyz`` answer.

Alive means that every watched part has shown a sign of life in time; a process that is not alive
is to be restarted. Ready means joined, assigned and able to decide.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass

from router.core.clock import Clock
from router.ops.clock import SystemClock

LOOP = "event loop"


@dataclass(frozen=True, slots=True)
class _Watch:
    last: float
    limit: float


class Health:
    """Shared between the event loop, which writes, and the metrics server's thread, which reads."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._watches: dict[str, _Watch] = {}
        self._ready = False
        self._reason = "starting"
        self._impaired: str | None = None
        self._failure: str | None = None
        self._doubt: str | None = None

    def set_ready(self) -> None:
        with self._lock:
            self._ready, self._reason = True, "ready"

    def not_ready(self, reason: str) -> None:
        """``reason`` is for people: "rebalancing", "draining"."""
        with self._lock:
            self._ready, self._reason = False, reason

    def impaired(self, how: str | None) -> None:
        """What does not work while messages are decided without it; None: all works again."""
        with self._lock:
            self._impaired = how

    def doubt(self, reason: str | None) -> None:
        """Not ready for this reason, joined and assigned or not; None: the doubt is over."""
        with self._lock:
            self._doubt = reason

    def fail(self, reason: str) -> None:
        """Not alive any more, whatever comes later: restart the process."""
        with self._lock:
            self._failure = reason

    def beat(self, part: str = LOOP, limit: float = 30.0) -> None:
        """``part`` lives; if it does not say so again within ``limit`` seconds it is stuck."""
        with self._lock:
            self._watches[part] = _Watch(self._clock.monotonic(), limit)

    def unwatch(self, part: str) -> None:
        """``part`` has nothing to do: silence is no longer a bad sign."""
        with self._lock:
            self._watches.pop(part, None)

    def alive(self) -> tuple[bool, str]:
        """Whether the process is worth keeping, and why (not)."""
        with self._lock:
            if self._failure is not None:
                return False, self._failure
            now = self._clock.monotonic()
            for part, watch in self._watches.items():
                if (silent := now - watch.last) > watch.limit:
                    return False, f"no sign of life from the {part} for {silent:.0f} s"
            return True, "alive"

    def ready(self) -> tuple[bool, str]:
        """Whether messages are being decided, and why (not). What is not alive is not ready."""
        alive, why = self.alive()
        if not alive:
            return False, why
        with self._lock:
            if self._ready and self._doubt:
                return False, self._doubt
            if self._ready and self._impaired:
                return True, f"{self._reason}, {self._impaired}"
            return self._ready, self._reason


async def heartbeat(health: Health, interval: float = 1.0, limit: float = 30.0) -> None:
    """Beat for the event loop until cancelled; a stuck loop cannot run this, which is the point."""
    while True:
        health.beat(LOOP, limit)
        await asyncio.sleep(interval)


def is_ready(health: Health) -> Callable[[], bool]:
    """For ``Metrics.ready_from``."""
    return lambda: health.ready()[0]
