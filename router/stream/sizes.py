"""How large a record may get on its way, from the largest event alone.

Whatever is large in an input record (value, key, headers), what is published for it is at most
that record and an envelope. So the outputs allow the inputs' limit and one envelope more, and no
record that could come in can get stuck going out.
"""

from __future__ import annotations

ENVELOPE_BYTES = 65_536
"""A decision, its headers and its key, at their largest; ids are at most 512 characters."""


def input_bytes(max_event_bytes: int) -> int:
    """``max.message.bytes`` of an input topic.

    Twice the largest event: one somewhat over is consumed and dead-lettered, where people see it.
    """
    return 2 * max_event_bytes + ENVELOPE_BYTES


def output_bytes(max_event_bytes: int) -> int:
    """``max.message.bytes`` of an output topic, and our producers' largest request."""
    return input_bytes(max_event_bytes) + ENVELOPE_BYTES
