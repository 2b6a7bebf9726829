"""Asks a broker one real Metadata question, with no client library between."""

from __future__ import annotations

import socket
import struct

_METADATA, _VERSION = 3, 1
_CLIENT = b"tests"
_SECONDS = 2.0


def brokers(port: int) -> set[int]:
    """The node ids that the broker on a loopback ``port`` names; none while it does not answer."""
    header = struct.pack(">hhih", _METADATA, _VERSION, 1, len(_CLIENT)) + _CLIENT
    request = header + struct.pack(">i", 0)  # no topics
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=_SECONDS) as link:
            link.sendall(struct.pack(">i", len(request)) + request)
            (size,) = struct.unpack(">i", _exactly(link, 4))
            return _node_ids(_exactly(link, size))
    except OSError:
        return set()


def _exactly(link: socket.socket, size: int) -> bytes:
    parts = b""
    while len(parts) < size:
        part = link.recv(size - len(parts))
        if not part:
            raise ConnectionError("the broker hung up")
        parts += part
    return parts


def _node_ids(answer: bytes) -> set[int]:
    """Node ids of a Metadata v1 answer: correlation id, then a list of (id, host, port, rack)."""
    (count,) = struct.unpack_from(">i", answer, 4)
    at, found = 8, set()
    for _ in range(count):
        node_id, host = struct.unpack_from(">ih", answer, at)
        at += 6 + host + 4
        (rack,) = struct.unpack_from(">h", answer, at)
        at += 2 + max(rack, 0)
        found.add(node_id)
    return found
