"""The operator set of an ONNX graph, read from its bytes: the runtime does not tell it.

A model is a protocol buffer, of which only field 8 matters here (``opset_import``, again and again:
a domain and a version); everything else, the graph too, is stepped over.
"""

from __future__ import annotations

from collections.abc import Iterator

_OPSET_IMPORT, _DOMAIN, _VERSION = 8, 1, 2
_VARINT, _EIGHT_BYTES, _CHUNK, _FOUR_BYTES = 0, 1, 2, 5
_ONNX = frozenset({b"", b"ai.onnx"})
_LONGEST = 10
"""Bytes of a protocol buffer's longest number."""


def opset_of(graph: bytes) -> int | None:
    """The version of ONNX's own operators in ``graph``; None where it names none, or is no graph.

    Never raises.
    """
    try:
        for number, value in _fields(memoryview(graph)):
            if number == _OPSET_IMPORT and isinstance(value, memoryview):
                fields = dict(_fields(value))
                version = fields.get(_VERSION)
                domain = fields.get(_DOMAIN, memoryview(b""))
                ours = isinstance(domain, memoryview) and bytes(domain) in _ONNX
                if isinstance(version, int) and ours:
                    return version
    except (IndexError, ValueError):
        return None
    return None


def _fields(buffer: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Numbers and values of a message's fields, unread below the first level."""
    at = 0
    while at < len(buffer):
        key, at = _number(buffer, at)
        kind = key & 7
        if kind == _VARINT:
            value, at = _number(buffer, at)
            yield key >> 3, value
            continue
        if kind == _CHUNK:
            length, at = _number(buffer, at)
        elif kind in {_EIGHT_BYTES, _FOUR_BYTES}:
            length = 8 if kind == _EIGHT_BYTES else 4
        else:
            raise ValueError("no protocol buffer")
        if at + length > len(buffer):
            raise ValueError("cut short")
        yield key >> 3, buffer[at : at + length]
        at += length


def _number(buffer: memoryview, at: int) -> tuple[int, int]:
    """The number that begins at ``at``, seven bits a byte, the least first; and where it ends."""
    value = 0
    for place in range(_LONGEST):
        byte = buffer[at + place]
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, at + place + 1
    raise ValueError("no protocol buffer")
