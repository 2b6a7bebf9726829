"""What the probes say, and that they answer when nothing else does."""

from __future__ import annotations

import asyncio
import http.client
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from prometheus_client.registry import Collector

from router.errors import RouterError
from router.ops.health import Health, heartbeat
from router.ops.health_server import HealthServer
from router.ops.metrics import Metrics


class Hands:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
def server(health: Health) -> Iterator[HealthServer]:
    metrics = Metrics()
    metrics.ready_from(lambda: health.ready()[0])
    with HealthServer("127.0.0.1", 0, metrics.registry, health) as running:
        yield running


def ask(
    server: HealthServer, path: str, method: str = "GET", accept: str = ""
) -> tuple[int, str, http.client.HTTPResponse]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request(method, path, headers={"Accept": accept} if accept else {})
        response = connection.getresponse()
        return response.status, response.read().decode(), response
    finally:
        connection.close()


def test_ready_only_when_said_so_and_with_the_reason_why_not(
    health: Health, server: HealthServer
) -> None:
    assert ask(server, "/readyz")[:2] == (503, "starting\n")
    health.set_ready()
    assert ask(server, "/readyz")[:2] == (200, "ready\n")
    assert "router_worker_ready 1.0" in ask(server, "/metrics")[1]
    health.not_ready("draining")
    assert ask(server, "/readyz")[:2] == (503, "draining\n")
    assert ask(server, "/healthz")[0] == 200


def test_a_part_that_falls_silent_is_no_longer_alive_nor_ready() -> None:
    clock = Hands()
    health = Health(clock)
    health.set_ready()
    health.beat("stream", limit=5)
    clock.time = 5
    assert health.alive()[0]
    clock.time = 6
    assert health.alive() == (False, "no sign of life from the stream for 6 s")
    assert not health.ready()[0]
    health.beat("stream", limit=5)
    assert health.ready() == (True, "ready")


def test_a_part_with_nothing_to_do_may_be_silent() -> None:
    clock = Hands()
    health = Health(clock)
    health.beat("stream", limit=5)
    health.unwatch("stream")
    clock.time = 100
    assert health.alive()[0]


def test_a_failure_is_for_good() -> None:
    health = Health()
    health.fail("the publisher left")
    health.set_ready()
    health.beat()
    assert health.alive() == (False, "the publisher left")


def test_a_stuck_event_loop_fails_the_probe_while_it_is_stuck(
    health: Health, server: HealthServer
) -> None:
    release = threading.Event()
    stuck = threading.Event()

    async def stop_the_loop() -> None:
        beating = asyncio.create_task(heartbeat(health, interval=0.01, limit=0.2))
        await asyncio.sleep(0.05)
        assert ask(server, "/healthz")[0] == 200
        stuck.set()
        release.wait(20)  # noqa: ASYNC251, RUF100 - blocks the loop, which is the point
        beating.cancel()

    loop = threading.Thread(target=asyncio.run, args=(stop_the_loop(),))
    loop.start()
    try:
        assert stuck.wait(10)
        deadline = time.monotonic() + 10
        while (answer := ask(server, "/healthz"))[0] == 200 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert answer[0] == 503
        assert "event loop" in answer[1]
    finally:
        release.set()
        loop.join(10)


def test_metrics_come_in_both_forms(server: HealthServer) -> None:
    status, body, response = ask(server, "/metrics")
    assert status == 200
    assert response.getheader("Content-Type", "").startswith("text/plain; version=0.0.4")
    assert "router_build_info" in body
    assert "process_cpu_seconds_total" in body
    _, body, response = ask(
        server, "/metrics", accept="application/openmetrics-text; version=1.0.0"
    )
    assert response.getheader("Content-Type", "").startswith("application/openmetrics-text")
    assert body.endswith("# EOF\n")


def test_head_has_no_body_and_other_methods_are_refused(server: HealthServer) -> None:
    status, body, response = ask(server, "/healthz", method="HEAD")
    assert (status, body) == (200, "")
    assert response.getheader("Content-Length") == "6"
    assert ask(server, "/healthz", method="POST")[0] == 501
    assert ask(server, "/elsewhere")[0] == 404


class Broken(Collector):
    """Breaks after it was registered."""

    broken = False

    def collect(self) -> list[object]:  # type: ignore[override]  # it gives none
        if self.broken:
            raise ValueError("my card 4111")
        return []


def test_a_collector_that_fails_is_an_error_and_the_probes_go_on(health: Health) -> None:
    metrics = Metrics()
    collector = Broken()
    metrics.registry.register(collector)
    with HealthServer("127.0.0.1", 0, metrics.registry, health) as server:
        collector.broken = True
        status, body, _ = ask(server, "/metrics")
        assert status == 500
        assert "4111" not in body
        assert ask(server, "/healthz")[0] == 200


def test_idle_connections_do_not_keep_probes_out_for_good(server: HealthServer) -> None:
    idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(40)]
    try:
        for connection in idle:
            connection.close()
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                assert ask(server, "/healthz")[0] == 200
                break
            except (OSError, http.client.HTTPException):
                time.sleep(0.02)
        else:
            pytest.fail("the probe was never answered")
    finally:
        for connection in idle:
            connection.close()


def test_a_taken_port_is_named_with_what_to_do(server: HealthServer, health: Health) -> None:
    with pytest.raises(RouterError, match=rf"{server.port} cannot be listened on.*Address already"):
        HealthServer("127.0.0.1", server.port, Metrics().registry, health)


def test_an_idle_scraper_does_not_hold_up_the_exit(health: Health) -> None:
    server = HealthServer("127.0.0.1", 0, Metrics().registry, health)
    server.start()
    with socket.create_connection(("127.0.0.1", server.port)):
        start = time.monotonic()
        server.stop()
        assert time.monotonic() - start < 5
