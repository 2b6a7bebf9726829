"""The one agent: it hands batches on in order, and its end is the process's."""

from __future__ import annotations

import pytest

from router.errors import StreamError
from tests.stream.consumer.bench import Bench


class Broken:
    """A stream that fails at its first event."""

    def noack(self) -> Broken:
        return self

    def events(self) -> Broken:
        return self

    def __aiter__(self) -> Broken:
        return self

    async def __anext__(self) -> object:
        raise RuntimeError("no more")


async def test_an_agent_that_ends_ends_the_process(bench: Bench) -> None:
    """Faust would start it again, and the batch it had would be gone until a restart."""
    (agent,) = bench.app.agents.values()
    with pytest.raises(RuntimeError, match="no more"):
        await agent.fun(Broken())
    assert isinstance(bench.runtime.failed.exception(), StreamError)


def test_there_is_one_agent_at_a_time(bench: Bench) -> None:
    """With two, a batch could overtake the one before it."""
    (agent,) = bench.app.agents.values()
    assert agent.concurrency == 1
