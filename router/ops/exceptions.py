"""An exception as a log line may show it: where it happened, never what was in the message.

Messages of foreign exceptions quote values (``ValueError``, ``KeyError``, a decoder's), and local
variables hold them; so a rendering has types and places, and the words only of exceptions whose
words are known to carry no customer's.
"""

from __future__ import annotations

import traceback
from types import TracebackType

from router.errors import RouterError

_FRAMES = 12  # the innermost; the outer ones are the event loop's
_CHAIN = 5


def describe(error: BaseException) -> str:
    """``error`` in one line without values: its type, and its words where they are safe."""
    name = type(error).__name__
    words = _words(error)
    return f"{name}: {words}" if words else name


def render(error: BaseException) -> str:
    """``error``, what caused it, and the frames of each, innermost last; no values."""
    parts: list[str] = []
    current: BaseException | None = error
    while current is not None and len(parts) < _CHAIN:
        parts.append("\n".join([describe(current), *_frames(current.__traceback__)]))
        if isinstance(current, BaseExceptionGroup):
            parts += [describe(inner) for inner in current.exceptions[:_CHAIN]]
        current = current.__cause__ or (
            None if current.__suppress_context__ else current.__context__
        )
    return "\ncaused by ".join(parts)


def _words(error: BaseException) -> str:
    if isinstance(error, RouterError) or _of_kafka(error):
        return str(error).partition("\n")[0]
    if isinstance(error, OSError):
        return error.strerror or ""
    return ""


def _of_kafka(error: BaseException) -> bool:
    # By name: importing aiokafka takes longer than most commands.
    return type(error).__module__ == "aiokafka.errors"


def _frames(trace: TracebackType | None) -> list[str]:
    places = traceback.StackSummary.extract(
        traceback.walk_tb(trace), limit=-_FRAMES, lookup_lines=False
    )
    return [f"  {place.filename}:{place.lineno} in {place.name}" for place in places]
