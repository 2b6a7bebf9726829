"""How patiently the broker is asked."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from aiokafka.consumer.fetcher import Fetcher

from router.stream import lingering
from router.stream.lingering import LINGER_SECONDS, Linger
from tests.stream.fakes import Hands, until

ALONE = (500, 1)


class Asking:
    """A fetcher by what its next request would say, and a clock that a test turns."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = Hands()
        monkeypatch.setattr(lingering, "time", self.clock)
        self._fetcher = SimpleNamespace(_fetch_max_wait_ms=500, _fetch_min_bytes=1)
        self.linger = Linger(self._fetcher)

    @property
    def next(self) -> tuple[int, int]:
        return self._fetcher._fetch_max_wait_ms, self._fetcher._fetch_min_bytes

    def found(self, after: float) -> None:
        self.clock.time += after
        self.linger.found()


@pytest.fixture
def asking(monkeypatch: pytest.MonkeyPatch) -> Asking:
    return Asking(monkeypatch)


async def test_what_comes_alone_is_asked_for_at_once(asking: Asking) -> None:
    for _ in range(3):
        asking.found(after=3 * LINGER_SECONDS)
        assert asking.next == ALONE


async def test_where_records_follow_each_other_closely_the_broker_may_wait(asking: Asking) -> None:
    asking.found(after=1.0)
    asking.found(after=LINGER_SECONDS)
    wait, least = asking.next
    assert wait == LINGER_SECONDS * 1000
    assert least > 1


async def test_only_the_request_that_follows_at_once_may_wait(asking: Asking) -> None:
    """One that found nothing is followed by one that is answered at once."""
    asking.found(after=1.0)
    asking.found(after=LINGER_SECONDS)
    await until(lambda: asking.next == ALONE)


def test_aiokafka_reads_both_for_each_request() -> None:
    """They are not of its public interface."""
    names = Fetcher._get_actions_per_node.__code__.co_names
    assert {"_fetch_max_wait_ms", "_fetch_min_bytes"} <= set(names)
