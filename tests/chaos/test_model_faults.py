"""The worker's line with its real model, breaker, metrics and health: each fault, and its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from structlog.testing import capture_logs

from router.core.line import Line
from router.core.record import InRecord, Source
from router.ops.clock import SystemClock
from router.ops.faults import FaultReporter
from router.ops.health import Health
from router.ops.metrics import Metrics
from router.ops.model_watch import ModelWatch
from router.settings import Settings
from tests.chaos.worker import faulty_line
from tests.core.policy_fixtures import chat_record

WITHIN = 30.0
WORDS = ("my new card never came", "someone stole my card and is emptying my account")


class Desk:
    """The line as a worker has it, and what it tells."""

    def __init__(self, orders: Path) -> None:
        self.orders = orders
        self.metrics, self.health = Metrics(), Health()
        self.health.set_ready()
        clock = SystemClock()
        self.line: Line = faulty_line(
            # A deadline that this machine keeps while other tests run, too.
            Settings(model_deadline=2.0, breaker_pause=0.1, breaker_max_pause=0.2),
            clock,
            FaultReporter(self.metrics, clock),
            ModelWatch(self.metrics, self.health),
        )

    def route(self, count: int = 1) -> list[str]:
        """The reasons for ``count`` ordinary messages and one that a rule decides."""
        texts = [WORDS[0]] * count + [WORDS[1]]
        records: list[InRecord] = [chat_record(text, offset=n) for n, text in enumerate(texts)]
        outcomes = self.line.route(records, 0.0)
        assert [one.source for one in outcomes] == [
            Source("messages.chat", 3, n) for n in range(len(texts))
        ]
        return [one.decision.reason for one in outcomes if one.decision]

    def value(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(name, labels) or 0.0

    def until(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + WITHIN
        while not true():
            assert time.monotonic() < deadline, self.health.ready()
            time.sleep(0.01)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    structlog.reset_defaults()
    orders = tmp_path / "orders"
    monkeypatch.setenv("CHAOS_MODEL", str(orders))
    yield Desk(orders)
    orders.unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("order", "batches", "why"),
    [
        ("hang", 1, "a call gave no answer in time"),
        ("raise", 3, "3 calls in a row failed"),
        ("memory", 3, "3 calls in a row failed"),
    ],
)
def test_rules_go_on_while_the_model_is_broken_and_it_is_asked_again_when_it_is_not(
    desk: Desk, order: str, batches: int, why: str
) -> None:
    assert desk.route() == ["intent", "flag"]
    assert desk.health.ready() == (True, "ready")
    assert desk.value("router_model_available") == 1
    with capture_logs() as logs:
        desk.orders.write_text(order)
        for _ in range(batches):
            assert desk.route(3) == ["model_unavailable"] * 3 + ["flag"]
        ready, words = desk.health.ready()
        assert ready
        assert words.startswith("ready, model unavailable: ")
        assert words.endswith(why)
        assert desk.value("router_model_available") == 0
        assert desk.value("router_model_failures_total") >= batches
        began = time.monotonic()
        for _ in range(20):
            assert desk.route() == ["model_unavailable", "flag"]
        assert time.monotonic() - began < 2.0  # nobody waited for the model
        desk.orders.unlink()
        desk.until(lambda: desk.health.ready() == (True, "ready"))
    assert desk.route() == ["intent", "flag"]
    assert desk.value("router_model_available") == 1
    assert desk.value("router_breaker_transitions_total", state="closed") == 1
    told = [log["event"] for log in logs]
    assert told.count("the model is not asked") == desk.value(
        "router_breaker_transitions_total", state="open"
    )
    assert told[-1] == "the model is asked again"


def test_a_worker_without_orders_is_a_worker(tmp_path: Path) -> None:
    assert Desk(tmp_path / "none").route() == ["intent", "flag"]
