"""Every fault is counted, and the log is not flooded."""

from __future__ import annotations

import structlog
from structlog.testing import capture_logs

from router.errors import ModelError
from router.ops.faults import FaultReporter
from router.ops.metrics import Metrics


class Hands:
    """A clock that a test turns."""

    time = 100.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time


def test_a_model_that_fails_on_every_text_is_counted_and_told_once_a_second() -> None:
    structlog.reset_defaults()
    clock, metrics = Hands(), Metrics()
    report = FaultReporter(metrics, clock)
    with capture_logs() as logs:
        for _ in range(50):
            report("model", ModelError("It is gone."))
        clock.time += 1
        report("model", ModelError("It is gone."))
    assert metrics.registry.get_sample_value("router_model_failures_total") == 51
    assert [log["event"] for log in logs] == ["the model failed"] * 2
    assert [log["not_logged_before"] for log in logs] == [0, 49]


def test_a_record_that_makes_us_fail_is_told_by_its_place_beside_the_models_faults() -> None:
    structlog.reset_defaults()
    metrics = Metrics()
    report = FaultReporter(metrics, Hands())
    with capture_logs() as logs:
        report("model", ModelError("It is gone."))
        report("messages.chat/0/7", ValueError("my card 4111"))
    assert logs[1]["where"] == "messages.chat/0/7"
    assert metrics.registry.get_sample_value("router_model_failures_total") == 1


def test_a_canary_that_fails_is_not_counted_as_the_live_model() -> None:
    structlog.reset_defaults()
    metrics = Metrics()
    report = FaultReporter(metrics, Hands())
    with capture_logs() as logs:
        report("model", ModelError("It is gone."))
        report("canary", ModelError("It is gone."))
        report("shadow", ModelError("It is gone."))
    assert [log["where"] for log in logs] == ["model", "canary", "shadow"]
    value = metrics.registry.get_sample_value
    assert value("router_model_failures_total") == 1
    for role in ("canary", "shadow"):
        assert value("router_trial_failures_total", {"role": role}) == 1
