"""A Kafka cluster of this process: its nodes start, stop, are killed and come back."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.kafka import config, jars, leash, probe, secure

_STARTED_WITHIN = 90.0
_STOPPED_WITHIN = 30.0
_QUICK = ("-XX:TieredStopAtLevel=1",)
_COLLECTOR = ("-XX:+UseSerialGC", "-Xmn24m")
"""A small machine's: few threads, and a nursery that stays in the processor's reach. One of the
usual size is emptied every ten seconds in a pause of a tenth of one, which is all that a 99th
percentile shows."""
_HEAP = {1: "768m", 3: "512m"}


class Node:
    """One broker, a controller too. Its port and its data outlive a stop or a kill."""

    def __init__(self, node_id: int, port: int, folder: Path, jvm: Sequence[str]) -> None:
        self.node_id = node_id
        self.port = port
        self.folder = folder
        self.log = folder / "kafka.log"
        self._jvm = jvm
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Of its process.

        Raises:
            RuntimeError: it does not run.
        """
        if self._process is None or not self.running:
            raise RuntimeError(f"Kafka node {self.node_id} does not run.")
        return self._process.pid

    def start(self) -> None:
        """Start it; ``Cluster.wait_ready`` waits until it answers."""
        if self.running:
            raise RuntimeError(f"Kafka node {self.node_id} runs already.")
        with self.log.open("ab") as log:
            command = self._java("kafka.Kafka", str(self.folder / "server.properties"))
            self._process = leash.spawn(command, output=log)

    def format(self, cluster_id: str, *extra: str) -> None:
        """Make its storage new; ``extra`` are more arguments of Kafka's tool.

        Raises:
            RuntimeError: Kafka refuses, with what it said.
        """
        shutil.rmtree(self.folder / "data", ignore_errors=True)
        command = self._java("kafka.tools.StorageTool", "format", "-t", cluster_id)
        command += ["-c", str(self.folder / "server.properties"), *extra]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode:
            raise RuntimeError(f"Kafka's storage cannot be made: {done.stdout}{done.stderr}")

    def stop(self) -> None:
        """End it in order, as an operator would; kill it when that takes over 30 s."""
        if self._process:
            self._process.terminate()
            try:
                self._process.wait(_STOPPED_WITHIN)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """SIGKILL: nothing is flushed, nobody is told."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def log_tail(self, lines: int = 60) -> str:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def _java(self, *arguments: str) -> list[str]:
        return [
            jars.java(),
            *self._jvm,
            f"-Dlog4j2.configurationFile={self.folder / 'log4j2.properties'}",
            "-cp",
            f"{jars.jars()}/*",
            *arguments,
        ]


class Cluster:
    """One node, or three with replication 3 and at least two in sync. A context manager."""

    def __init__(
        self,
        folder: Path,
        *,
        nodes: int = 1,
        ports: Sequence[int] = (),
        secured: bool = False,
        authorized: bool = False,
        quick: bool = True,
    ) -> None:
        """``ports`` are the nodes' own, one each; left out, free ones are taken. ``secured`` gives
        a single node a listener with TLS and SASL too: see ``secure_environ``; with
        ``authorized`` whoever comes by that needs ACLs. ``quick`` starts in half the processor
        time, and is slower once warm: not for measurements.

        Raises:
            Unavailable: Java, Kafka's jars or OpenSSL are not to be had.
        """
        if nodes not in _HEAP or (secured and nodes > 1):
            raise ValueError("A test cluster has one node or three; one where it is secured.")
        jars.java()
        jars.jars()
        if secured:
            secure.check()
        taken = leash.free_ports(nodes * 2 + 2)
        clients = list(ports) or taken[:nodes]
        controllers = taken[nodes:-2]
        self._secure_port, self._tls_port = taken[-2:] if secured else (0, 0)
        self._tls = folder / "tls"
        jvm = [f"-Xmx{_HEAP[nodes]}", *_COLLECTOR, *(_QUICK if quick else ())]
        self.nodes = [
            Node(number + 1, port, folder / f"node-{number + 1}", jvm)
            for number, port in enumerate(clients)
        ]
        for node in self.nodes:
            listeners = {"CLIENT": node.port}
            if secured:
                listeners |= {"SECURE": self._secure_port, "TLS": self._tls_port}
            extra = secure.server_lines(self._tls) if secured else ""
            extra += secure.AUTHORIZER if authorized else ""
            config.write(node.folder, node.node_id, listeners, controllers, extra)

    def secure_environ(self, mechanism: str) -> dict[str, str]:
        """The router's settings for the listener with a SASL mechanism, or with TLS alone ("")."""
        port = self._secure_port if mechanism else self._tls_port
        return secure.environ(self._tls, port, mechanism)

    @property
    def bootstrap(self) -> str:
        """Addresses of all nodes, running or not: what ``ROUTER_BROKER`` takes."""
        return ",".join(node.address for node in self.nodes)

    def start(self) -> Self:
        """Format, start, and wait until every node answers."""
        cluster_id = config.new_cluster_id()
        if self._secure_port:
            secure.certificates(self._tls)
        for node in self.nodes:
            node.format(cluster_id, *(secure.STORAGE if self._secure_port else ()))
            node.start()
        self.wait_ready()
        return self

    def wait_ready(self, within: float = _STARTED_WITHIN) -> None:
        """Wait until each running node answers Metadata naming all the running ones.

        Raises:
            RuntimeError: a node ended, or the time is up; with the end of its log.
        """
        deadline = time.monotonic() + within
        running = [node for node in self.nodes if node.running]
        wanted = {node.node_id for node in running}
        for node in running:
            while not wanted <= probe.brokers(node.port):
                if not node.running or time.monotonic() > deadline:
                    state = "is not ready" if node.running else "ended"
                    raise RuntimeError(f"Kafka node {node.node_id} {state}:\n{node.log_tail()}")
                time.sleep(0.1)

    def restart(self, node: Node) -> None:
        """Start a stopped or killed node on its old data, and wait until it answers."""
        node.stop()
        node.start()
        self.wait_ready()

    def stop(self) -> None:
        """End all nodes. Three are killed: the last ones would wait in vain for a quorum."""
        for node in self.nodes:
            node.stop() if len(self.nodes) == 1 else node.kill()

    def log_tail(self, lines: int = 60) -> str:
        return "\n".join(f"-- node {n.node_id}\n{n.log_tail(lines)}" for n in self.nodes)

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            for node in self.nodes:
                node.kill()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
