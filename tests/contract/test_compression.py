"""Upstream chooses its compression; some clients compress unasked (franz-go: snappy)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from aiokafka import codec


@pytest.mark.parametrize(
    "available", [codec.has_gzip, codec.has_snappy, codec.has_lz4, codec.has_zstd]
)
def test_every_compression_of_kafka_can_be_read(available: Callable[[], bool]) -> None:
    assert available()
