"""A consumer for one test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.stream.consumer.bench import Bench, open_bench


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with open_bench() as bench:
        yield bench
