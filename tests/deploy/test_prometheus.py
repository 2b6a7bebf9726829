"""Prometheus itself reads our files, tests our rules, and answers the dashboard."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
import yaml

from router.core.choosing import Model, ModelSet
from router.core.decision import Decision, PolicyRef
from router.core.event import Rejected
from router.core.line import Outcome
from router.core.prediction import ModelRef
from router.core.record import Source
from router.ops.health import Health, is_ready
from router.ops.health_server import HealthServer
from router.ops.lag import PartitionLag
from router.ops.metrics import Metrics
from tests.core.policy_fixtures import StubModel

DEPLOY = Path(__file__).parents[2] / "deploy"
PROMETHEUS = DEPLOY / "prometheus"
REQUIRED = os.environ.get("TESTS_REQUIRE_ALL") == "1"
WITHIN = 30.0


def _tool(name: str) -> str:
    """The program's path; without it the test is skipped, or fails where all is required."""
    path = shutil.which(name)
    if path is None:
        reason = f"{name} is not here; Debian's package `prometheus` has it"
        if REQUIRED:
            pytest.fail(reason)
        pytest.skip(reason)
    return path


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "config", "prometheus.yml"),
        ("check", "rules", "rules/alerts.yaml"),
        ("test", "rules", "rules/alerts.test.yaml"),
    ],
    ids=" ".join,
)
def test_promtool_finds_no_fault(arguments: tuple[str, ...]) -> None:
    done = subprocess.run(
        [_tool("promtool"), *arguments],
        cwd=PROMETHEUS,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus with our rules that has scraped a worker's endpoint twice; its address."""
    program = _tool("prometheus")
    folder = tmp_path_factory.mktemp("prometheus")
    metrics, health = _busy_metrics()
    with HealthServer("127.0.0.1", 0, metrics.registry, health) as server:
        config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_bytes())
        config["global"] = {"scrape_interval": "200ms", "evaluation_interval": "200ms"}
        rules = yaml.safe_load((PROMETHEUS / "rules/alerts.yaml").read_bytes())
        rules["groups"][0]["interval"] = "200ms"
        (folder / "alerts.yaml").write_text(yaml.safe_dump(rules))
        config["rule_files"] = ["alerts.yaml"]
        (job,) = config["scrape_configs"]
        job["static_configs"] = [{"targets": [f"127.0.0.1:{server.port}"]}]
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        address = f"127.0.0.1:{_free_port()}"
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [
                    program,
                    f"--config.file={folder / 'prometheus.yml'}",
                    f"--storage.tsdb.path={folder / 'data'}",
                    f"--web.listen-address={address}",
                ],
                stdout=log,
                stderr=log,
            )
        try:
            _wait_for_scrapes(address, metrics, process, folder / "log")
            yield address
        finally:
            process.terminate()
            process.wait(20)


def test_every_panel_gets_an_answer(prometheus: str) -> None:
    dashboard = json.loads((DEPLOY / "grafana/dashboards/router.json").read_bytes())
    asked = 0
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            query = target["expr"].replace("$__rate_interval", "1m")
            for variable in dashboard["templating"]["list"]:
                query = query.replace(f"${variable['name']}", variable["allValue"])
            found = _ask(prometheus, query)
            assert found, f"{panel['title']} shows nothing: {query}"
            asked += 1
    assert asked >= 20


def test_every_rule_is_evaluated_without_a_fault(prometheus: str) -> None:
    with urlopen(f"http://{prometheus}/api/v1/rules", timeout=5) as answer:
        groups = json.load(answer)["data"]["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len(rules) >= 10
    assert {
        rule["name"]: rule.get("lastError", "") for rule in rules if rule["health"] != "ok"
    } == {}


def test_the_values_for_the_dashboards_menus_are_there(prometheus: str) -> None:
    assert {row["metric"]["channel"] for row in _ask(prometheus, "router_consumed_total")} == {
        "chat",
        "email",
    }
    assert _ask(prometheus, 'router_confidence_count{queue="cards"}')


def _busy_metrics() -> tuple[Metrics, Health]:
    """Metrics in which every series has something."""
    metrics, health = Metrics(), Health()
    live = Model(StubModel(ref=ModelRef("banking", "1", "0" * 64)))
    metrics.in_force(ModelSet(live=live))
    metrics.decides_by(PolicyRef("default", "1", "0" * 64))
    metrics.lag_from(lambda: [PartitionLag("messages.chat", 0, 3, time.time() - 1)])
    metrics.ready_from(is_ready(health))
    health.set_ready()
    _work(metrics)
    return metrics, health


def _work(metrics: Metrics) -> None:
    metrics.stage("publish", 0.004)
    outcomes = [_outcome("routed", "cards", "intent"), _outcome("ignored", "router.ignored")]
    outcomes += [_outcome("review", "router.review", "low_confidence"), _outcome("dead_letter")]
    metrics.published(outcomes, time.time())


def _outcome(kind: Any, queue: str = "", reason: Any = "not_customer") -> Outcome:
    rejected = Rejected("missing_field", "time", "required") if kind == "dead_letter" else None
    source = Source("messages.chat", 0, 1)
    now = datetime.now(UTC)
    decision = Decision(
        schema="routing-decision/v1",
        decision_id="d",
        event_id="e",
        channel="chat",
        conversation_id="c",
        time=now,
        decided_at=now,
        queue=queue,
        reason=reason,
        explanation="",
        rule=None,
        intent="card_arrival",
        confidence=0.9,
        threshold=0.5,
        candidates=(),
        flags=(),
        language="en",
        priority=3,
        due_at=None,
        policy=PolicyRef("default", "1", "0" * 64),
        model=None,
        source=source,
        timings={"infer": 0.01},
        router_version="0",
    )
    return Outcome(
        source=source,
        kind=kind,
        decision=None if rejected else decision,
        rejected=rejected,
        records=(),
        channel="chat",
        broker_time=time.time() - 0.01,
        timings={"parse": 0.001, "infer": 0.01},
    )


def _wait_for_scrapes(
    address: str, metrics: Metrics, process: subprocess.Popen[bytes], log: Path
) -> None:
    deadline = time.monotonic() + WITHIN
    while time.monotonic() < deadline:
        _work(metrics)  # so that every rate has an increase to see
        if process.poll() is not None:
            break
        try:
            seen = _ask(address, "count_over_time(router_ignored_total[1m])")
            recorded = _ask(address, "count_over_time(router:review_share:ratio15m[1m])")
        except URLError:
            seen = recorded = []
        if seen and recorded and float(seen[0]["value"][1]) >= 4:
            return
        time.sleep(0.1)
    pytest.fail("Prometheus did not scrape the endpoint: " + log.read_text()[-2000:])


def _ask(address: str, query: str) -> list[dict[str, Any]]:
    with urlopen(f"http://{address}/api/v1/query?{urlencode({'query': query})}", timeout=5) as got:
        answer = json.load(got)
    assert answer["status"] == "success"
    result: list[dict[str, Any]] = answer["data"]["result"]
    return result


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
