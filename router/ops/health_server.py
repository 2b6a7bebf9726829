"""``/metrics``, ``/healthz`` and ``/readyz`` from a thread of their own.

They answer while the event loop is stuck, which is when they are needed.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from router.errors import RouterError
from router.ops.health import Health

_TEXT = "text/plain; charset=utf-8"
_CONNECTIONS = 16  # scrapes and probes are few; more is somebody else
_TIMEOUT = 10.0  # seconds one connection may stay silent

_log = structlog.get_logger("router.health")

Answer = tuple[HTTPStatus, str, bytes]
Page = Callable[[str], Answer]
"""Given the request's Accept header."""


class HealthServer:
    """Serves on ``host``:``port`` from ``start`` to ``stop``; port 0 picks a free one.

    Raises:
        RouterError: the address cannot be listened on.
    """

    def __init__(self, host: str, port: int, registry: CollectorRegistry, health: Health) -> None:
        pages = _pages(registry, health)
        try:
            self._server = _Server(host, port, pages)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or "it is not a usable address"
            raise RouterError(
                f"{host}:{port} cannot be listened on: {reason}.",
                "Set ROUTER_METRICS_PORT to another port, or to 0 for any free one.",
            ) from None
        self._thread = threading.Thread(target=self._serve, name="health-server", daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> HealthServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _serve(self) -> None:
        self._server.serve_forever(poll_interval=0.1)


def _pages(registry: CollectorRegistry, health: Health) -> dict[str, Page]:
    def metrics(accept: str) -> Answer:
        encode, content_type = choose_encoder(accept)
        return HTTPStatus.OK, content_type, encode(registry)

    return {
        "/metrics": metrics,
        "/healthz": lambda _: _probe(*health.alive()),
        "/readyz": lambda _: _probe(*health.ready()),
    }


def _probe(good: bool, reason: str) -> Answer:
    status = HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE
    return status, _TEXT, f"{reason}\n".encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # an idle scraper must not hold up the worker's exit

    def __init__(self, host: str, port: int, pages: dict[str, Page]) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.pages = pages
        self._slots = threading.BoundedSemaphore(_CONNECTIONS)
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        # HTTPServer's own asks DNS for the host's name, which can hang.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._slots.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _TIMEOUT
    server_version = "router"
    sys_version = ""

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        page = self.server.pages.get(urlsplit(self.path).path)
        if page is None:
            status, content_type, body = HTTPStatus.NOT_FOUND, _TEXT, b"not found\n"
        else:
            status, content_type, body = self._ask(page)
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def _ask(self, page: Page) -> Answer:
        try:
            return page(self.headers.get("Accept", ""))
        except Exception:  # a page that fails must say so, and leave the others be
            _log.exception("page failed", path=urlsplit(self.path).path)
            return HTTPStatus.INTERNAL_SERVER_ERROR, _TEXT, b"this page failed; see the log\n"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """A probe a second is no news."""
