"""Leaving a broker that may be gone: neither hang, nor take its trouble for ours."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

_WITHIN = 5.0


async def part(stopping: Coroutine[Any, Any, None]) -> None:
    """Await a client's stop for a few seconds; whatever it raises is of no more interest.

    With the broker gone, aiokafka waits for answers that do not come, and lets the cancelling of
    its own tasks out as if it were ours.
    """
    task = asyncio.ensure_future(stopping)
    await asyncio.wait({task}, timeout=_WITHIN)
    if not task.done():
        task.cancel()
    elif not task.cancelled():
        task.exception()
